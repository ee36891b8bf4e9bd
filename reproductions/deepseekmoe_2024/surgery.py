"""What a trained model loses if experts are taken from it, measured at its last validation.

Source: Dai et al. 2024 (arXiv 2401.06066), section 4.5, Figures 4 and 5.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor, nn

from moebench.moe.layer import MoELayer
from moebench.moe.routers.score import Score
from moebench.training.module import task_loss

SIXTEENTHS = (1, 2, 3, 4)  # of the experts, masked for each token


class Surgery(Callback):
    """Logs, at the last validation, validation losses of the model with some experts missing.

    Record and history have them as `analysis/surgery/<name>`: `whole` and `fewer` are losses,
    `masked`, `masked_parameters`, `taken` and `taken_routed` rises above `whole`. `taken` is
    without the shared experts, and with one more routed expert for each token; in a model without
    any it is without one routed expert, as `taken_routed` is without another.

    Args:
        fewer: routed experts of a token for `fewer`.
        sixteenth: experts in a sixteenth of all. `masked` is the mean over one to four sixteenths,
            each token losing those that it scores highest.
        matched: experts with as many parameters as one of the model compared with, for
            `masked_parameters`.
        seed: chooses the routed experts of each layer that are taken away.
    """

    def __init__(self, fewer: int, sixteenth: int = 1, matched: int = 1, seed: int = 0) -> None:
        self.fewer, self.sixteenth, self.matched, self.seed = fewer, sixteenth, matched, seed

    @torch.no_grad()
    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Measure and log, once the model is trained."""
        network: Any = pl_module.network
        layers = mixtures(network)
        if trainer.global_step < trainer.max_steps or not layers:
            return

        def loss(operation: Callable[[], AbstractContextManager[None]] | None = None) -> float:
            with ExitStack() as open_:
                if operation is not None:
                    open_.enter_context(operation())
                open_.enter_context(trainer.precision_plugin.forward_context())
                batches = [
                    pl_module.transfer_batch_to_device(batch, pl_module.device, 0)
                    for batch in trainer.val_dataloaders or []
                ]
                losses = [task_loss(network(batch), batch).item() for batch in batches]
            return sum(losses) / len(losses)

        was_training = network.training
        network.eval()
        found = self._measured(layers, loss)
        network.train(was_training)
        named = {f"analysis/surgery/{name}": value for name, value in found.items()}
        for logger in trainer.loggers:
            logger.log_metrics(named, step=trainer.global_step)

    def _measured(self, layers: Sequence[MoELayer], loss: Callable[..., float]) -> dict[str, float]:
        """Return every loss and rise by its name."""
        whole = loss()
        found = {"whole": whole, "fewer": loss(lambda: choosing(layers, self.fewer))}
        for name, each in (("masked", self.sixteenth), ("masked_parameters", self.matched)):
            losses = [loss(lambda n=n, e=each: masking(layers, n * e)) for n in SIXTEENTHS]
            found[name] = sum(losses) / len(losses) - whole
        shared = all(layer.shared is not None for layer in layers)
        taken = without_shared if shared else partial(without_one, seed=self.seed, place=1)
        found["taken"] = loss(lambda: taken(layers)) - whole
        found["taken_routed"] = loss(lambda: without_one(layers, self.seed, place=0)) - whole
        return found


def mixtures(network: nn.Module) -> list[MoELayer]:
    """Return the mixtures of a model in order of depth."""
    return [module for module in network.modules() if isinstance(module, MoELayer)]


@contextmanager
def choosing(layers: Sequence[MoELayer], k: int) -> Iterator[None]:
    """Route every token to k experts while the context is open."""
    with ExitStack() as undone:
        for layer in layers:
            router: Any = layer.router
            undone.callback(setattr, router, "k", router.k)
            router.k = k
        yield


@contextmanager
def without_shared(layers: Sequence[MoELayer]) -> Iterator[None]:
    """Take the shared experts away, and route every token to one more expert."""
    with ExitStack() as undone:
        for layer in layers:
            router: Any = layer.router
            undone.callback(setattr, layer, "shared", layer.shared)
            undone.callback(setattr, router, "k", router.k)
            layer.shared, router.k = None, router.k + 1
        yield


@contextmanager
def masking(layers: Sequence[MoELayer], number: int) -> Iterator[None]:
    """Take from every token the experts with its highest scores; others take their place."""

    def without_best(_: nn.Module, __: tuple[Tensor, ...], logits_TE: Tensor) -> Tensor:
        return logits_TE.scatter(1, logits_TE.topk(number, dim=-1).indices, -torch.inf)

    with _changed_scores(layers, lambda _: without_best):
        yield


@contextmanager
def without_one(layers: Sequence[MoELayer], seed: int, place: int) -> Iterator[None]:
    """Take one expert of each layer, drawn by the seed, from all tokens."""
    chance = torch.Generator().manual_seed(seed)

    def hook(layer: MoELayer) -> Callable[..., Tensor]:
        experts = int(layer.router.num_experts)  # type: ignore[arg-type]
        taken = int(torch.randperm(experts, generator=chance)[place])

        def without(_: nn.Module, __: tuple[Tensor, ...], logits_TE: Tensor) -> Tensor:
            logits_TE = logits_TE.clone()
            logits_TE[:, taken] = -torch.inf
            return logits_TE

        return without

    with _changed_scores(layers, hook):
        yield


@contextmanager
def _changed_scores(
    layers: Sequence[MoELayer], hook: Callable[[MoELayer], Callable[..., Tensor]]
) -> Iterator[None]:
    """Change the scores of every router while the context is open."""
    with ExitStack() as hooks:
        for layer in layers:
            change = hook(layer)
            for part in layer.router.modules():
                if isinstance(part, Score):
                    hooks.enter_context(part.register_forward_hook(change))
        yield
