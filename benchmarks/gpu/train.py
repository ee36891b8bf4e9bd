"""Training on the GPU: tokens per second and memory of the models whose runs are the evidence.

Each way to take a step is timed in turn with a bare loop over the same model: Lightning with
everything that a run has, other dispatchers, a captured graph, a compiled network. The models are a
paper's first mixture with a dense twin, and that twin.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from statistics import median
from typing import Any

import torch

from benchmarks.gpu.items import Item
from benchmarks.gpu.memory import release
from benchmarks.gpu.papers import mixture_with_a_twin, on_device, profile_of, with_a_twin
from benchmarks.gpu.session import Session
from benchmarks.gpu.ways import Graph, Lightning, compiled
from benchmarks.loop import BareLoop
from benchmarks.timing import ratios, turns
from moebench.experiment import Experiment
from moebench.experiment.dense_twin import dense
from moebench.moe.dispatch import DISPATCHERS
from moebench.papers import Target, target
from moebench.papers.settings import NETWORK
from moebench.run.plan_jobs import load_arm

STEPS, ROUNDS = 100, 3
FEW_STEPS, FEW_ROUNDS = 2, 2  # in the small test
DISPATCHER = f"{NETWORK}.sparse.dispatcher"
BARE, DENSE = "bare loop", "dense"
Way = Callable[[Experiment], Callable[[int], float]]


def run(session: Session) -> None:
    """Time all ways."""
    session.work_on(items(session))


def items(session: Session) -> Iterator[Item]:
    """Yield the ways, the most valuable first; compiling takes longest and comes last."""
    for found in with_a_twin(session.small):
        for kind, way, models, seconds in (
            ("lightning", Lightning, ("", DENSE), 25.0),
            (BARE, BareLoop, DISPATCHERS, 20.0),
            ("graph", Graph, (DENSE, "", *DISPATCHERS), 20.0),
            ("compiled", compiled, (DENSE, ""), 100.0),
        ):
            for model in list(models)[: 1 if session.small else None]:
                name = f"{found.folder}: {kind}, {model or 'mixture'}"
                case = Case(found, session.small, model, way)
                yield Item("train", name, kind, seconds, case)


@dataclass(frozen=True)
class Case:
    """One way to train one model.

    Args:
        paper: the paper whose model is trained.
        small: whether it has the size of the profile `smoke`.
        model: `dense`, the name of a dispatcher, or empty for the paper's own mixture.
        way: builds a callable that takes a number of steps and returns the seconds per step.
    """

    paper: Target
    small: bool
    model: str
    way: Way

    def __call__(self) -> Mapping[str, Any]:
        """Return tokens per second, the time over that of a bare loop, and memory."""
        steps, rounds = (FEW_STEPS, FEW_ROUNDS) if self.small else (STEPS, ROUNDS)
        mixture = mixture_of(self.paper.name, self.small, steps)
        experiment = self._with_model(mixture, steps)
        memory = peak(lambda: self.way(experiment)(min(steps, 3)))
        plain, ours = (
            BareLoop(mixture if self.way is BareLoop else experiment),
            self.way(experiment),
        )
        name = "this way"
        seconds = turns({BARE: lambda: plain(steps), name: lambda: ours(steps)}, rounds)
        return {
            "tokens a step": plain.tokens,
            "tokens per second": {n: plain.tokens / median(s) for n, s in seconds.items()},
            "time over a bare loop": ratios(seconds, BARE)[name],
            "memory": memory,
            "parameters": sum(weight.numel() for weight in plain.model.parameters()),
        }

    def _with_model(self, mixture: Experiment, steps: int) -> Experiment:
        """Return the experiment with the requested model."""
        if self.model == DENSE:
            shape = mixture.config["model"]["network"]["init_args"]["shape"]
            return dense(mixture, shape["hidden"])
        if self.model:
            return mixture_of(self.paper.name, self.small, steps, self.model)
        return mixture


@cache
def mixture_of(name: str, small: bool, steps: int, dispatcher: str = "") -> Experiment:
    """Return a paper's first mixture with a dense twin, with its data prepared.

    Args:
        name: the paper.
        small: whether it has the size of the small test.
        steps: number of training steps.
        dispatcher: replaces its own dispatcher, unless empty.
    """
    found = target(name)
    profile, base = profile_of(found, small), found.plan.arm(mixture_with_a_twin(found, small))
    settings: dict[str, object] = {"trainer.max_steps": steps, "trainer.val_check_interval": steps}
    if dispatcher:
        made = DISPATCHERS[dispatcher]
        settings[DISPATCHER] = {"class_path": f"{made.__module__}.{made.__qualname__}"}
    experiment = load_arm(found, base, profile, {**settings, **on_device(small)})
    _, data, _ = experiment.build(logger=False, enable_checkpointing=False)
    data.prepare_data()
    return experiment


def peak(work: Callable[[], object]) -> int | None:
    """Return the peak bytes of GPU memory of some work; None without a GPU."""
    if not torch.cuda.is_available():
        work()
        return None
    release()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    work()
    return torch.cuda.max_memory_allocated() - before
