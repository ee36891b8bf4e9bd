"""How even loads are in a batch, in all batches together, and over the course of training.

Source: Wang et al. 2024 (arXiv 2408.15664), equation 4 for MaxVio, Figures 4 and 5.
"""

from collections.abc import Sequence
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor

from moebench.moe.decision import RoutingDecision

DRAWS = 200  # of even loads, for what chance alone gives
SMALLEST = 0.05  # MaxVio above chance below which a share of it is not taken


class BalanceCurve(Callback):
    """Logs MaxVio over the validation batches, as a mean over the layers.

    Record and history have it as `analysis/balance/<name>`: after every validation `batch@<step>`,
    the mean over single batches; after the last one also `batch`, `global` (of the load over all
    batches), and `left`: how much of what a batch has above chance is left in all batches together.
    Chance is the mean MaxVio of as many independent requests with even probabilities.
    """

    def __init__(self) -> None:
        self.counts: list[Tensor] = []  # one (L, E) for each batch

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Forget the batches of the validation before."""
        self.counts = []

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Count the requests of a batch."""
        if outputs["decisions"]:
            self.counts.append(counted(outputs["decisions"]))

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the curve so far, and at the last validation the rest."""
        if not self.counts:
            return
        count_NLE = torch.stack(self.counts)
        last = trainer.global_step >= trainer.max_steps
        found = {f"batch@{trainer.global_step}": violation(count_NLE)}
        found |= at_the_end(count_NLE) if last else {}
        named = {f"analysis/balance/{name}": value for name, value in found.items()}
        for logger in trainer.loggers:
            logger.log_metrics(named, step=trainer.global_step)


def counted(decisions: Sequence[RoutingDecision]) -> Tensor:
    """Return count_LE, the requests of every layer and expert."""
    counts = [d.requested_A.bincount(minlength=d.num_experts) for d in decisions]
    return torch.stack(counts).double().cpu()


def violation(count_E: Tensor) -> float:
    """Return the mean of MaxVio over all axes before the experts."""
    return float((count_E.amax(dim=-1) / count_E.mean(dim=-1) - 1).mean())


def at_the_end(count_NLE: Tensor) -> dict[str, float]:
    """Return MaxVio of single batches and of all, and the share of it that is left in all."""
    experts, requests = count_NLE.shape[-1], int(count_NLE[0, 0].sum())
    batch, together = violation(count_NLE), violation(count_NLE.sum(dim=0))
    above = batch - by_chance(experts, requests)
    left = together - by_chance(experts, requests * len(count_NLE))
    return {"batch": batch, "global": together, "left": left / max(above, SMALLEST)}


def by_chance(experts: int, requests: int) -> float:
    """Return the mean MaxVio of independent requests with even probabilities."""
    generator = torch.Generator().manual_seed(0)
    rates_SE = torch.full((DRAWS, experts), requests / experts, dtype=torch.float64)
    return violation(torch.poisson(rates_SE, generator=generator))
