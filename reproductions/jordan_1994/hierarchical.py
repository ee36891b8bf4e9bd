"""The comparison of Jordan and Jacobs 1994: eight systems learn the dynamics of a robot arm.

Each function trains one system with ten seeds and returns for each:

* `relative_error`, the smallest on the test set over all epochs, and `epochs` until the error was
  first within 5% of it: the paper's two figures, which we take to be of the test set;
* `failed`, 1 if the run ended with NaN or never matched linear regression, otherwise 0;
* `still_falling`, 1 if `epochs` is in the last tenth of the run, so that it is a lower bound;
* `epochs_to_0.15`, if the run got there: an error that every system of the paper reached;
* `step` and `search/epochs`, if there is a step size: the one chosen by the training error of seed
  0 after a few epochs, and the number of epochs spent on the choice;
* `seconds` of training and measuring, and points of the curve, `curve/<epoch>`.

Seeds determine initial weights and the order of the cases; the cases are the same for all.

Differences from the paper: two joints instead of four, 2,000 and 1,000 cases instead of 15,000 and
5,000; step sizes, initial weights, and the masses and ranges of the arm are our own.

Source: Jordan and Jacobs 1994, "Hierarchical mixtures of experts and the EM algorithm", Neural
Computation 6, 181-214, Tables 1 and 2.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import NoReturn

import torch
from torch import Tensor
from tqdm import tqdm

from moebench.evidence.record import FIRST_FRESH_SEED
from reproductions.jordan_1994.networks import (
    IRLS,
    Adam,
    Cases,
    Descent,
    ExpectationMaximisation,
    Hierarchy,
    LeastSquares,
    Momentum,
    Network,
    Recursive,
    Tree,
    ends,
    learning_curve,
)
from reproductions.jordan_1994.networks.curve import Ends, Learner
from reproductions.jordan_1994.networks.descent import Rule
from reproductions.jordan_1994.networks.em import Gates
from reproductions.jordan_1994.robot_arm import RobotArm

SEEDS = range(FIRST_FRESH_SEED, FIRST_FRESH_SEED + 10)
SEARCH_SEED = 0
TRAIN_CASES, TEST_CASES = 2000, 1000
DEPTH, HIDDEN = 4, 60  # 16 experts and 15 gates; hidden units of the networks
INITIAL_RANGE = 0.5  # of the weights of the trees
REACHED = 0.15
POINTS = 20  # number of points kept of each curve


@dataclass(frozen=True)
class Budget:
    """How long a system is trained, and which step sizes it chooses from."""

    epochs: int
    every: int = 1  # epochs between measurements of the error
    at_once: int = len(SEEDS)  # seeds trained side by side
    steps: tuple[float, ...] = ()
    search_epochs: int = 0


BUDGETS = {
    "linear": Budget(20),
    "hme_em": Budget(200),
    "hme_least_squares": Budget(200),
    # As many epochs as the paper's runs needed on average. A single seed fits into the cache.
    "backprop_batch": Budget(5500, 10, 1, (0.05, 0.1, 0.2, 0.4, 0.8), 500),
    "backprop_online": Budget(100, steps=(0.003, 0.01, 0.03, 0.1), search_epochs=15),
    "backprop_adam": Budget(100, steps=(0.001, 0.003, 0.01, 0.03), search_epochs=15),
    "hme_online": Budget(30),
    "hme_gradient": Budget(100, steps=(0.001, 0.003, 0.01, 0.03, 0.1), search_epochs=15),
}
BATCH_MOMENTUM, ONLINE_MOMENTUM = 0.15, 0.20  # the paper's
ADAM_BATCH = 32

Results = dict[int, dict[str, float]]
Make = Callable[[Sequence[int]], Learner]


def linear() -> Results:
    """Train linear regression: a tree of one expert."""
    return _run("linear", partial(_by_em, IRLS(), 0))


def hme_em() -> Results:
    """Train trees by EM with Newton steps for the gates, the paper's algorithm 1."""
    return _run("hme_em", partial(_by_em, IRLS(), DEPTH))


def hme_least_squares() -> Results:
    """Train trees by EM with linear regressions for the gates, the paper's algorithm 2."""
    return _run("hme_least_squares", partial(_by_em, LeastSquares(), DEPTH))


def hme_online() -> Results:
    """Train trees by recursive least squares, one case at a time."""
    return _run("hme_online", lambda seeds: Recursive(*_trees(DEPTH, seeds), seeds))


def hme_gradient() -> Results:
    """Train trees by gradient ascent on the log likelihood, one case at a time."""

    def make(seeds: Sequence[int], step_S: Tensor) -> Descent:
        return Descent(*_trees(DEPTH, seeds), Momentum(step_S), seeds, batch_size=1)

    return _search_and_run("hme_gradient", make)


def backprop_batch() -> Results:
    """Train networks by gradient descent with momentum, all cases in each update."""
    rule = partial(Momentum, momentum=BATCH_MOMENTUM)
    return _search_and_run("backprop_batch", partial(_network, rule, 0))


def backprop_online() -> Results:
    """Train networks by gradient descent with momentum, one case per update."""
    rule = partial(Momentum, momentum=ONLINE_MOMENTUM)
    return _search_and_run("backprop_online", partial(_network, rule, 1))


def backprop_adam() -> Results:
    """Train networks by Adam in small batches: a modern method, not in the paper."""
    return _search_and_run("backprop_adam", partial(_network, Adam, ADAM_BATCH))


def _trees(depth: int, seeds: Sequence[int]) -> tuple[Tree, Hierarchy]:
    """Return the shape of the trees and their initial weights."""
    tree = Tree(depth)
    return tree, tree.init(seeds, INITIAL_RANGE, *_sizes())


def _by_em(gates: Gates, depth: int, seeds: Sequence[int]) -> Learner:
    """Return trees trained by EM."""
    return ExpectationMaximisation(*_trees(depth, seeds), gates)


def _network(
    rule: Callable[[Tensor], Rule], batch_size: int, seeds: Sequence[int], step_S: Tensor
) -> Learner:
    """Return networks trained by back-propagation."""
    network = Network(HIDDEN)
    return Descent(network, network.init(seeds, *_sizes()), rule(step_S), seeds, batch_size)


@cache
def _cases() -> tuple[Cases, Cases]:
    """Return the training set and the test set."""
    arm = RobotArm(TRAIN_CASES, TEST_CASES)
    return Cases.of(*arm.train), Cases.of(*arm.test)


def _sizes() -> tuple[int, int]:
    """Return the numbers of inputs, without the constant, and of outputs."""
    train, _ = _cases()
    return len(train.x_DT) - 1, len(train.target_CT)


def _search_and_run(name: str, make: Callable[[Sequence[int], Tensor], Learner]) -> Results:
    """Choose a step size with the seed that is not judged, and train with it."""
    budget = BUDGETS[name]
    seeds = [SEARCH_SEED] * len(budget.steps)
    learner = make(seeds, torch.tensor(budget.steps, dtype=torch.float64))
    train, _ = _cases()
    epochs = budget.search_epochs
    with tqdm(total=epochs, desc=f"{name}, steps", unit="epoch", disable=None) as progress:
        error_S = learning_curve(learner, train, train, _counted(epochs, progress), every=epochs)[0]
    step = budget.steps[int(error_S.nan_to_num(nan=torch.inf).argmin())]
    cost = float(epochs * len(budget.steps))
    return _run(
        name,
        lambda seeds: make(seeds, torch.full((len(seeds),), step, dtype=torch.float64)),
        {"step": step, "search/epochs": cost},
    )


def _run(name: str, make: Make, chosen: dict[str, float] | None = None) -> Results:
    """Train all judged seeds; return their metrics, including those of the choice of step size."""
    budget, started = BUDGETS[name], time.perf_counter()
    groups = [SEEDS[i : i + budget.at_once] for i in range(0, len(SEEDS), budget.at_once)]
    curves = []
    total = budget.epochs * len(groups)
    with tqdm(total=total, desc=name, unit="epoch", disable=None) as progress:
        for seeds in groups:
            epochs = _counted(budget.epochs, progress)
            curves.append(learning_curve(make(seeds), *_cases(), epochs, budget.every))
    error_NS = torch.cat(curves, dim=1)
    found = ends(error_NS, _linear_error(), budget.every)
    common = {"seconds": (time.perf_counter() - started) / len(SEEDS), **(chosen or {})}
    return {
        seed: {**common, **_metrics(error_NS[:, number], found, number, budget.every)}
        for number, seed in enumerate(SEEDS)
    }


def _counted(epochs: int, progress: "tqdm[NoReturn]") -> Iterator[int]:
    """Yield 1, 2, ... and advance the progress bar."""
    for epoch in range(1, epochs + 1):
        yield epoch
        progress.update()


@cache
def _linear_error() -> float:
    """Return the relative error of linear regression on the test set."""
    learner = _by_em(IRLS(), 0, [SEARCH_SEED])
    return learning_curve(learner, *_cases(), epochs=[1])[0, 0].item()


def _metrics(error_N: Tensor, found: Ends, number: int, every: int) -> dict[str, float]:
    """Return the metrics of one run."""
    metrics = {
        "relative_error": found.error_S[number].item(),
        "epochs": found.epochs_S[number].item(),
        "failed": float(found.failed_S[number]),
        "still_falling": float(found.falling_S[number]),
    }
    reached = (error_N <= REACHED).nonzero()
    if len(reached):
        metrics[f"epochs_to_{REACHED:g}"] = float((reached[0, 0] + 1) * every)
    kept = torch.logspace(0, torch.tensor(len(error_N)).log10().item(), POINTS).round().long()
    points = {f"curve/{n * every}": error_N[n - 1].item() for n in kept.unique().tolist()}
    return {**metrics, **points}
