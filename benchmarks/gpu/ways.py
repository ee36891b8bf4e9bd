"""Ways to take the same training steps: as in a run, compiled, or as one CUDA graph."""

import time
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import nn

from benchmarks.gpu.repeat import NEVER, unsynchronised
from benchmarks.loop import BareLoop
from benchmarks.train import full
from moebench.experiment import Experiment

STARTING = 10  # warm-up steps, in which memory is allocated and kernels are chosen


class Lightning:
    """A run as a worker makes it, restarted at every call; its warm-up steps are not counted.

    Args:
        experiment: the experiment; it must have more steps than the warm-up.
    """

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment

    def __call__(self, steps: int) -> float:
        """Take the steps of the experiment; return the seconds per step."""
        watch = Stopwatch(min(STARTING, steps // 2))
        full(self.experiment, watch)
        return watch.seconds


class Stopwatch(Callback):
    """Times training steps after a warm-up, including the loading of data.

    Args:
        first: number of warm-up steps.
    """

    def __init__(self, first: int) -> None:
        self.first = first
        self.started = self.seconds = 0.0

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Start the clock after the warm-up."""
        if batch_idx == self.first:
            _wait(pl_module)
            self.started = time.perf_counter()

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Divide the time by the number of steps."""
        _wait(pl_module)
        self.seconds = (time.perf_counter() - self.started) / (trainer.global_step - self.first)


def _wait(model: LightningModule) -> None:
    """Wait until the model's device has finished its work."""
    if model.device.type == "cuda":
        torch.cuda.synchronize(model.device)


def compiled(experiment: Experiment) -> BareLoop:
    """Return the bare loop over the compiled network; without a GPU it is only traced."""

    def wrap(network: nn.Module) -> Any:
        on_card = next(network.parameters()).is_cuda
        return torch.compile(network, backend="inductor" if on_card else "eager")

    return BareLoop(experiment, wrap)


class Graph:
    """A whole step, captured once and replayed; the learning rate stays as captured.

    Args:
        experiment: the experiment; all of its steps must have the same shapes.

    Raises:
        ValueError: without a GPU, or if the step synchronises with it, since shapes may then vary.
    """

    def __init__(self, experiment: Experiment) -> None:
        if experiment.config["trainer"]["accelerator"] == "cpu":
            raise ValueError("CUDA graphs need a GPU")
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
        if waits != NEVER:  # a failed capture would leave torch's random state broken
            raise ValueError(f"a step waits for the GPU: {waits}")
        self.graph = torch.cuda.CUDAGraph()
        loop.optimizer.zero_grad(set_to_none=True)
        with torch.cuda.graph(self.graph):
            loop.loss(self.batch).backward()
            loop.optimizer.step()

    def _step(self) -> None:
        """Take one step, as it will be captured."""
        self.loop.optimizer.zero_grad(set_to_none=True)
        self.loop.loss(self.batch).backward()
        self.loop.optimizer.step()

    def __call__(self, steps: int) -> float:
        """Take this many steps; return the seconds per step."""
        self.loop.wait()
        started = time.perf_counter()
        for _ in range(steps):
            for held, new in zip(self.batch, self.loop.batch(), strict=True):
                if held is not None:
                    held.copy_(new)
            self.graph.replay()
        self.loop.wait()
        return (time.perf_counter() - started) / steps
