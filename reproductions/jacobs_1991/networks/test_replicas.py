"""Many runs at once: each is plain gradient descent, bit for bit as if it ran alone."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor

from reproductions.jacobs_1991.networks import (
    BackProp,
    Competitive,
    Cooperative,
    Likelihood,
    Mixture,
    replicas,
)
from reproductions.jacobs_1991.networks.system import (
    Cases,
    System,
    Weights,
    accuracy,
    mean_squared_error,
    prepare,
)
from reproductions.jacobs_1991.networks.testing import CRITERION, same, small, trained
from reproductions.jacobs_1991.vowels import Coding

SYSTEMS = {
    "one": Mixture(1, Likelihood()),
    "likelihood": Mixture(4, Likelihood()),
    "competitive": Mixture(3, Competitive()),
    "cooperative": Mixture(4, Cooperative()),
    "backprop": BackProp(6),
}
EVERY_SYSTEM = pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)


@pytest.fixture
def _threads_as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def cases(coding: Coding = "anti", train_speakers: int = 5) -> Cases:
    batch = small(coding, train_speakers).train
    return prepare(batch.x_TD, batch.target_TC)


def table(
    system: System, runs: Sequence[tuple[float, int]], shown: Cases, **arguments: Any
) -> dict[str, Tensor]:
    """All results of replicas, one row per replica."""
    made = trained(system, runs, shown, **arguments)
    measured = made.measure(
        shown,
        lambda answer: {
            "error": mean_squared_error(answer.blend_SCT, shown),
            "accuracy": accuracy(answer.blend_SCT, shown),
            **system.usage(answer, shown.share_T),
        },
    )
    return {"epochs": made.epochs_S, "finite": made.finite(), **measured, **made.weights}


def plain(system: System, step: float, seed: int, shown: Cases, most: int) -> tuple[int, Weights]:
    """One run by autograd, without padding or other replicas: the reference.

    Small steps only: with large ones the rounding errors of any two programs diverge.
    """
    real_T = shown.share_T > 0
    x_DT, target_CT = shown.x_DT[:, real_T], shown.target_CT[:, real_T]
    weights = system.init([seed], 0.5, len(x_DT) - 1, len(target_CT))
    for epoch in range(most + 1):
        for weight in weights.values():
            weight.requires_grad_()
        answer = system.forward(weights, x_DT)
        squared_CT = (answer.blend_SCT[0] - target_CT).square()
        if squared_CT.mean() <= CRITERION or epoch == most:
            break
        value = squared_CT.sum(dim=0).mean() / 2
        if isinstance(system, Mixture):
            value = system.error.value(answer, target_CT).mean()
        slopes = torch.autograd.grad(value, list(weights.values()))
        weights = {
            name: (weight - step * slope).detach()
            for (name, weight), slope in zip(weights.items(), slopes, strict=True)
        }
    return epoch, weights


@EVERY_SYSTEM
@pytest.mark.parametrize("coding", ["anti", "one_hot"])
def test_each_run_is_plain_gradient_descent(system: System, coding: Coding) -> None:
    shown, runs = cases(coding), [(0.5, 3), (2.0, 4)]
    found = trained(system, runs, shown, max_epochs=80)
    for number, (step, seed) in enumerate(runs):
        epochs, weights = plain(system, step, seed, shown, most=80)
        assert found.epochs_S[number] == epochs
        for name, weight in weights.items():
            own = found.weights[name][number : number + 1]
            torch.testing.assert_close(own, weight.detach(), atol=1e-7, rtol=0)


@EVERY_SYSTEM
@pytest.mark.parametrize("coding", ["anti", "one_hot"])
@pytest.mark.usefixtures("_threads_as_before")
def test_other_replicas_change_no_bit(
    system: System, coding: Coding, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.set_num_threads(2)
    shown, runs = cases(coding), list(product((0.5, 3.0, 8.0, 40.0), range(9)))
    together = table(system, runs, shown)
    monkeypatch.setattr(replicas, "BLOCK", 700)  # different neighbours and memory layout
    for run in ((3.0, 0), (40.0, 5), (0.5, 8)):
        number = runs.index(run)
        own = {name: column[number : number + 1] for name, column in together.items()}
        assert same(table(system, [run], shown), own), run


@pytest.mark.usefixtures("_threads_as_before")
def test_threads_change_no_bit() -> None:
    # A block of 455 replicas has 65520 numbers, which two threads would split within a pair of
    # registers of eight numbers. With smaller registers the difference may not show here.
    runs = [(5.0, seed) for seed in range(455)]
    tables = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        shown = cases(train_speakers=7)
        tables.append(table(Mixture(3, Likelihood()), runs, shown, max_epochs=20))
    assert same(*tables)


class Watched(BackProp):
    """Records how many replicas were updated at once, and on how many threads."""

    def __init__(self, hidden: int) -> None:
        super().__init__(hidden)
        self.sizes: list[int] = []
        self.threads: set[int] = set()

    def gradient(self, weights: Any, answer: Any, cases: Any) -> Any:
        self.sizes.append(len(answer.blend_SCT))
        self.threads.add(torch.get_num_threads())
        return super().gradient(weights, answer, cases)


@pytest.mark.usefixtures("_threads_as_before")
def test_replicas_train_on_one_thread_whatever_torch_uses() -> None:
    torch.set_num_threads(2)
    system = Watched(1)
    trained(system, [(1.0, 0)], cases(), max_epochs=1)
    assert system.threads == {1}
    assert torch.get_num_threads() == 2


def test_finished_replicas_leave_the_batch() -> None:
    system = Watched(3)
    epochs = trained(system, list(product((5.0, 9.0), range(3))), cases("one_hot")).epochs_S
    assert epochs.unique().numel() > 3
    assert system.sizes == [int((epochs > epoch).sum()) for epoch in range(int(epochs.max()))]
