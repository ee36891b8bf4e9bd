"""Ways to take the same training steps: as a run does, compiled, as one graph of the card."""

import time
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import nn

from benchmarks.gpu.repeat import NEVER, unsynchronised
from benchmarks.loop import BareLoop
from benchmarks.train import full
from moebench.experiment import Experiment

STARTING = 10  # steps, in which memory is found and kernels are chosen


class Lightning:
    """A run as a worker makes it, begun anew at every call; its first steps are not counted.

    Args:
        experiment: that names the steps, more than are not counted.
    """

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment

    def __call__(self, steps: int) -> float:
        """Take the steps of the experiment; return the seconds of one."""
        watch = Stopwatch(min(STARTING, steps // 2))
        full(self.experiment, watch)
        return watch.seconds


class Stopwatch(Callback):
    """Times the steps of a training from one on, data included.

    Args:
        first: how many are not counted.
    """

    def __init__(self, first: int) -> None:
        self.first = first
        self.started = self.seconds = 0.0

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Begin once the first steps are over."""
        if batch_idx == self.first:
            _wait(pl_module)
            self.started = time.perf_counter()

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Divide the time by the steps."""
        _wait(pl_module)
        self.seconds = (time.perf_counter() - self.started) / (trainer.global_step - self.first)


def _wait(model: LightningModule) -> None:
    """Let the device of a model end what it was asked to do."""
    if model.device.type == "cuda":
        torch.cuda.synchronize(model.device)


def compiled(experiment: Experiment) -> BareLoop:
    """Return the bare loop over the compiled network; without a card it is traced alone."""

    def wrap(network: nn.Module) -> Any:
        on_card = next(network.parameters()).is_cuda
        return torch.compile(network, backend="inductor" if on_card else "eager")

    return BareLoop(experiment, wrap)


class Graph:
    """A whole step, captured once and played again; the learning rate stays as it was then.

    Args:
        experiment: whose steps have the same shapes each time.

    Raises:
        ValueError: if the step waits for the card, whose answer may decide a shape; without a card.
    """

    def __init__(self, experiment: Experiment) -> None:
        if experiment.config["trainer"]["accelerator"] == "cpu":
            raise ValueError("there are graphs on a card alone")
        self.loop = loop = BareLoop(experiment)
        for group in loop.optimizer.param_groups:
            group["capturable"] = True
        self.batch = loop.batch()
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(3):
                self._step()
            waits = unsynchronised(self._step, loop.device)
        torch.cuda.current_stream().wait_stream(aside)
        if waits != NEVER:  # a capture that fails would leave torch's random numbers in it
            raise ValueError(f"a step waits for the card: {waits}")
        self.graph = torch.cuda.CUDAGraph()
        loop.optimizer.zero_grad(set_to_none=True)
        with torch.cuda.graph(self.graph):
            loop.loss(self.batch).backward()
            loop.optimizer.step()

    def _step(self) -> None:
        """Take one step as it will be captured."""
        self.loop.optimizer.zero_grad(set_to_none=True)
        self.loop.loss(self.batch).backward()
        self.loop.optimizer.step()

    def __call__(self, steps: int) -> float:
        """Take so many steps; return the seconds of one."""
        self.loop.wait()
        started = time.perf_counter()
        for _ in range(steps):
            for held, new in zip(self.batch, self.loop.batch(), strict=True):
                if held is not None:
                    held.copy_(new)
            self.graph.replay()
        self.loop.wait()
        return (time.perf_counter() - started) / steps
