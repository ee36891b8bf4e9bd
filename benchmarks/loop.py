"""A bare training loop over an experiment's model: the reference for full runs."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from moebench.experiment import Experiment


class BareLoop:
    """A plain loop over the same model, losses and optimiser, on the run's device and precision.

    Args:
        experiment: the experiment; its data must be prepared.
        wrap: returns what to call instead of the network, such as a compiled network.
    """

    def __init__(
        self, experiment: Experiment, wrap: Callable[[nn.Module], Any] = lambda network: network
    ) -> None:
        model, given, trainer = experiment.build(logger=False, enable_checkpointing=False)
        data: Any = given
        data.setup("fit")
        trainer.precision_plugin.convert_module(model)
        self.device = trainer.strategy.root_device
        self.tokens = data.tokens_per_batch
        self.model = model.to(self.device).train()
        self.network = wrap(model.network)
        [self.optimizer], [schedule] = model.configure_optimizers()
        self.schedule = schedule["scheduler"]
        self._context = trainer.precision_plugin.forward_context
        self._batches = _endless(data)

    def __call__(self, steps: int) -> float:
        """Take this many steps; return the seconds per step."""
        self.wait()
        started = time.perf_counter()
        for _ in range(steps):
            self.optimizer.zero_grad()
            self.loss(self.batch()).backward()
            self.optimizer.step()
            self.model.end_step()
            self.schedule.step()
        self.wait()
        return (time.perf_counter() - started) / steps

    def batch(self) -> Any:
        """Return the next batch, on the device."""
        return self.model.transfer_batch_to_device(next(self._batches), self.device, 0)

    def loss(self, batch: Any) -> Tensor:
        """Return the loss that a step minimises on a batch."""
        with self._context():
            output = self.network(batch)
            self.model.updates.add(output.decisions)
            total: Tensor = self.model.loss(output, batch).total
        return total

    def wait(self) -> None:
        """Wait until the device has finished its work."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def _endless(data: Any) -> Iterator[Any]:
    """Yield the training batches, epoch after epoch."""
    loader = data.train_dataloader()
    while True:
        yield from loader
