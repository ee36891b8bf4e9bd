"""The loss of a trained model once each of its tokens chooses for itself."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import nn

from moebench.moe.layer import MoELayer
from moebench.moe.routers import ExpertChoice, SoftmaxTopK
from moebench.training.module import task_loss


class CausalChoice(Callback):
    """Logs, at the last validation, the loss with token choice in place of expert choice.

    Scores and weights are the same; every token goes to the k experts that it scores highest.
    Record and history have it as `analysis/causal/loss`; a model without expert choice has none.
    """

    @torch.no_grad()
    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Measure and log, once the model is trained."""
        network: Any = pl_module.network
        layers = choosing(network)
        if trainer.global_step < trainer.max_steps or not layers:
            return
        was_training = network.training
        network.eval()
        with ExitStack() as open_:
            open_.enter_context(by_token(layers))
            open_.enter_context(trainer.precision_plugin.forward_context())
            batches = [
                pl_module.transfer_batch_to_device(batch, pl_module.device, 0)
                for batch in trainer.val_dataloaders or []
            ]
            losses = [task_loss(network(batch), batch).item() for batch in batches]
        network.train(was_training)
        found = {"analysis/causal/loss": sum(losses) / len(losses)}
        for logger in trainer.loggers:
            logger.log_metrics(found, step=trainer.global_step)


def choosing(network: nn.Module) -> dict[MoELayer, ExpertChoice]:
    """Return the mixtures of a model whose experts choose, with the router that has the scores."""
    return {
        layer: part
        for layer in network.modules()
        if isinstance(layer, MoELayer)
        for part in layer.router.modules()
        if isinstance(part, ExpertChoice)
    }


@contextmanager
def by_token(layers: dict[MoELayer, ExpertChoice]) -> Iterator[None]:
    """Let the tokens of these layers choose by the same scores while the context is open."""
    with ExitStack() as undone:
        for layer, router in layers.items():
            tokens = SoftmaxTopK(router.score.weight.shape[1], router.num_experts, router.k)
            tokens.score = router.score
            undone.callback(setattr, layer, "router", layer.router)
            layer.router = tokens
        yield
