"""The one LightningModule: task loss plus the weighted losses of every routing decision.

`valid/loss` is the task loss alone; a balance loss is never part of it.
"""

import math
from collections.abc import Callable
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.precision import MixedPrecision, Precision
from pytorch_lightning.utilities import GradClipAlgorithmType
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import AdamW, Optimizer
from torch.optim.optimizer import ParamsT

from moebench.data.contract import UNSCORED, TokenBatch, check_batch
from moebench.models.output import Output
from moebench.moe import devices
from moebench.moe.losses import BatchLoss, Weighted, WeightedLosses
from moebench.moe.step import RouterUpdates
from moebench.training.cost import Cost, count_batch
from moebench.training.gradient_check import (
    check_routers,
    report_losses,
    report_routers,
    router_parameters,
    routers,
)
from moebench.training.leak_refusal import refuse_leaks
from moebench.training.leaks import report_leaks
from moebench.training.schedule import learning_rates, steps_of
from moebench.training.share import check_same_batch, share
from moebench.training.step_metrics import StepMeans, routing_metrics

# Arguments of `Training` that concern routing alone, and their values without routing.
WITHOUT_ROUTING = {"losses": None, "router_rate": 1.0}


def task_loss(output: Output, batch: TokenBatch) -> Tensor:
    """Return the mean cross-entropy over the scored targets, in nats per token, float32.

    In a batch without scored targets, loss and gradient are zero. Where several devices share a
    batch, this is the part of one, and its mean over them is the loss of the whole batch, however
    the scored targets are spread.
    """
    prediction_TV = output.prediction.flatten(0, -2).float()
    target_T = batch.target_BL.flatten()
    summed = cross_entropy(prediction_TV, target_T, ignore_index=UNSCORED, reduction="sum")
    loss = summed / devices.total((target_T != UNSCORED).sum()).clamp(min=1)
    count = devices.device_count()
    return loss if count == 1 else loss * count


class Training(pl.LightningModule):
    """Trains any model whose call is `(batch) -> Output(prediction, decisions)`.

    Args:
        vocabulary: number V of token ids; linked from the data.
        network: makes the model from the vocabulary.
        losses: losses on routing decisions, each summed over the layers, with name and weight.
        optimizer: makes the optimiser from the parameters.
        warmup_steps: optimiser steps until the learning rate peaks.
        router_rate: factor on the learning rate of the routers; 0 freezes them.
        cooldown_steps: last optimiser steps, over which the learning rate falls to zero; 0: none.

    Raises:
        ValueError: if `warmup_steps` is not positive, `cooldown_steps` or `router_rate` is negative
            or not finite, there is no optimiser, two losses share a name, a router with a state
            cannot be found, or one leaks in validation and is not allowed to.
    """

    def __init__(
        self,
        vocabulary: int,
        network: Callable[[int], nn.Module],
        losses: list[Weighted] | None = None,
        optimizer: Callable[[ParamsT], Optimizer] = lambda p: AdamW(p, lr=1.2e-2, fused=True),
        warmup_steps: int = 100,
        router_rate: float = 1.0,
        cooldown_steps: int = 0,
    ) -> None:
        super().__init__()
        if warmup_steps < 1:
            raise ValueError(f"warmup_steps={warmup_steps}: must be at least 1")
        if cooldown_steps < 0:
            raise ValueError(f"cooldown_steps={cooldown_steps}: must be 0 or a positive number")
        if not 0 <= router_rate < math.inf:
            raise ValueError(f"router_rate={router_rate}: must be 0 or a positive number")
        if not callable(optimizer):
            raise ValueError(f"optimizer={optimizer}: must make an optimiser from the parameters")
        self.network = network(vocabulary)
        check_routers(self.network)
        refuse_leaks(self.network)
        self.losses = WeightedLosses(losses or [])
        self.optimizer = optimizer
        self.warmup_steps = warmup_steps
        self.router_rate = router_rate
        self.cooldown_steps = cooldown_steps
        # Of the current optimiser step:
        self.measured, self.updates = StepMeans(), RouterUpdates(routers(self.network).values())
        self.scored = 0  # targets scored so far in the current validation

    def cost(self, batch: TokenBatch) -> Cost:
        """Count the cost of the network on a batch of tokens, in its current mode.

        Raises:
            ValueError: if the batch breaks the data contract.
        """
        check_batch(batch)
        return count_batch(self.network, batch)

    def loss(self, output: Output, batch: TokenBatch) -> BatchLoss:
        """Return the loss of a batch: that of the task, those on routing, and their sum."""
        return self.losses.sum(task_loss(output, batch), output.decisions)

    def training_step(self, batch: TokenBatch, batch_idx: int) -> Tensor:
        """Return the loss to minimise; take measurements at the trainer's logging interval."""
        first = self.global_step == 0 and batch_idx == 0
        batch = self._own_rows(batch, check=first)
        output: Output = self.network(batch)
        loss = self.loss(output, batch)
        self.updates.add(output.decisions)
        if first:
            report_losses(loss.terms, self.network)
            report_leaks(self.network, batch)
            if self.router_rate:
                report_routers(loss.task, loss.total, output.decisions, self.network)
        interval = self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        if self.global_step % interval == 0:
            scored = devices.total((batch.target_BL != UNSCORED).sum())
            values = {"train/loss": loss.task.item()} if scored else {}
            values |= {f"train/{name}": value.item() for name, value in loss.terms.items()}
            values |= routing_metrics(output.decisions)
            self.measured.add(values)
        return loss.total

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Log what was measured: one entry per step, however many batches and devices it took."""
        values = self.measured.take()
        for logger in self.loggers if values else ():
            logger.log_metrics(values, step=self.global_step)

    def optimizer_step(self, *step: Any, **more: Any) -> None:
        """Step as Lightning does, then end the step."""
        before = self._scale()
        super().optimizer_step(*step, **more)
        self.end_step(skipped=self._scale() < before)

    def end_step(self, skipped: bool = False) -> None:
        """Update the state of the routers, unless the step was skipped, and start a new step."""
        self.losses.end_step()
        if skipped:
            self.updates.discard()
        else:
            self.updates.apply()

    def _scale(self) -> float:
        """Return the scale of float16 gradients, which falls when they overflow and skip a step.

        Reading it synchronises the GPU, so it is simply one if no router has a state.
        """
        scaler = getattr(self.trainer.precision_plugin, "scaler", None)
        return float(scaler.get_scale()) if scaler is not None and self.updates.needed else 1.0

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip as Lightning does, but under mixed precision also for a fused optimiser.

        Lightning refuses that because such an optimiser unscales the gradients itself. bfloat16 has
        no scale; float16 gradients are unscaled here, and torch does not unscale them twice.
        """
        plugin = self.trainer.precision_plugin
        fused = getattr(optimizer, "_step_supports_amp_scaling", False)
        if not (gradient_clip_val and fused and isinstance(plugin, MixedPrecision)):
            super().configure_gradient_clipping(
                optimizer, gradient_clip_val, gradient_clip_algorithm
            )
            return
        if plugin.scaler is not None:
            plugin.scaler.unscale_(optimizer)
        algorithm = GradClipAlgorithmType(gradient_clip_algorithm or "norm")
        Precision.clip_gradients(plugin, optimizer, gradient_clip_val, algorithm)

    def on_validation_epoch_start(self) -> None:
        """Reset the count of scored targets."""
        self.scored = 0

    def on_validation_epoch_end(self) -> None:
        """Refuse a validation without a result.

        Raises:
            ValueError: if no target was scored.
        """
        if not self.scored:
            raise ValueError("data: no target of the validation batches is scored")

    def validation_step(self, batch: TokenBatch, batch_idx: int) -> dict[str, Any]:
        """Log the task loss; return the decisions for callbacks.

        A router that draws at random draws the same in every validation.
        """
        batch = self._own_rows(batch)
        with torch.random.fork_rng():
            torch.manual_seed(batch_idx)
            output: Output = self.network(batch)
        scored = int(devices.total((batch.target_BL != UNSCORED).sum()))
        self.scored += scored
        loss = devices.mean(task_loss(output, batch))
        self.log("valid/loss", loss, batch_size=scored, logger=False)
        return {"decisions": output.decisions}

    def _own_rows(self, batch: TokenBatch, check: bool = False) -> TokenBatch:
        """Return the rows of this device; all devices are given the whole batch."""
        count = devices.device_count()
        if count == 1:
            return batch
        if check:
            check_same_batch(batch)
        own: TokenBatch = share(batch, devices.device_number(), count)
        return own

    def configure_optimizers(self) -> Any:
        """Return the optimiser and its learning-rate schedule, updated every step.

        Raises:
            ValueError: for a setting of the optimiser that is not a number, or an infinite rate.
        """
        routers = router_parameters(self.network) if self.router_rate != 1 else []
        apart = set(routers)
        others = [parameter for parameter in self.parameters() if parameter not in apart]
        groups = [(1.0, others), (self.router_rate, routers)] if routers else [(1.0, others)]
        optimizer = self.optimizer([{"params": parameters} for _, parameters in groups])
        for name, value in optimizer.defaults.items():
            if not isinstance(value, float) or math.isfinite(value):
                continue
            if math.isnan(value) or name == "lr":  # others may be bounds, and infinite by default
                raise ValueError(f"optimizer.{name}={value}: must be finite")
        trained = self._trainer is not None  # or only checked, or timed
        steps = steps_of(self.trainer) if self.cooldown_steps and trained else math.inf
        rates = [rate for rate, _ in groups]
        schedule = learning_rates(optimizer, rates, self.warmup_steps, self.cooldown_steps, steps)
        return [optimizer], [{"scheduler": schedule, "interval": "step"}]
