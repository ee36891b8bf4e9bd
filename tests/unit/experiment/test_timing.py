"""What is timed where a model is made as fast as another: whole optimiser steps, warm ones."""

import itertools
import time
from collections.abc import Iterator

import pytest
import torch

from moebench.experiment.dense_twin import timing
from moebench.experiment.dense_twin.timing import seconds_per_step, step_time_ratio
from moebench.experiment.dense_twin.training_flops import TrainingSetup


def measured(experiment) -> TrainingSetup:
    model, data, trainer = experiment.build(logger=False)
    data.setup("fit")
    return TrainingSetup(model, trainer, [next(iter(data.train_dataloader()))])


def test_two_alike_take_as_long(tiny) -> None:
    wide = {"model.network.init_args.shape.hidden": 8192}
    small, large = measured(tiny("dense.yaml")), measured(tiny("dense.yaml", wide))
    assert 0.5 < step_time_ratio(small, small) < 2
    assert step_time_ratio(large, small) > 2


def test_a_machine_that_slows_down_slows_both(tiny, monkeypatch) -> None:
    """By a clock on which every step is half as fast as the one before."""
    clock = itertools.chain.from_iterable((0.0, 2.0**step) for step in itertools.count())
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    small = measured(tiny("dense.yaml"))
    assert step_time_ratio(small, small) == pytest.approx(0.5)


@pytest.mark.parametrize(("step", "pairs"), [(1e-3, 15), (1.0, 5), (60.0, 3)])
def test_long_steps_are_timed_less_often(step: float, pairs: int, monkeypatch) -> None:
    taken = []

    def steps(_: object) -> Iterator[float]:
        while True:
            taken.append(step)
            yield step

    monkeypatch.setattr(timing, "_steps", steps)
    assert step_time_ratio(None, None) == 1.0
    assert len(taken) == 2 * (1 + pairs), "the first step of each is not counted"


def test_neither_a_cold_step_nor_a_disturbed_one_decides(monkeypatch) -> None:
    monkeypatch.setattr(timing, "_steps", lambda of: itertools.chain(of, itertools.repeat(of[-1])))
    monkeypatch.setattr(timing, "SECONDS_TIMED", 0.0)
    ours, theirs = [900.0, 70.0, 6.0, 8.0], [900.0, 2.0, 2.0, 2.0]
    assert seconds_per_step(ours) == 8.0
    assert step_time_ratio(ours, theirs) == 4.0


@pytest.mark.parametrize("precision", ["bf16-mixed", "32-true"])
def test_a_step_is_that_of_the_run(tiny, precision: str) -> None:
    """In its precision and mode, on as many batches, with the optimiser's part."""
    options = {"trainer.precision": precision, "trainer.accumulate_grad_batches": 2}
    run = measured(tiny("switch_8.yaml", options))
    network, seen = run.model.network.eval(), []
    network.register_forward_hook(
        lambda *_: seen.append((network.training, torch.is_autocast_enabled("cpu")))
    )
    weight, *_ = network.parameters()
    before, steps = weight.detach().clone(), timing._steps(run)
    next(steps)
    assert seen == [(True, precision == "bf16-mixed")] * 2
    assert not torch.equal(weight, before)
    assert weight.grad is None


def test_a_timed_step_weighs_losses_as_training_does(tiny) -> None:
    """One that counts nothing moves nothing."""
    embeddings = []
    for losses in ([{"loss": "ZLoss", "weight": 0.0}], []):
        run = measured(tiny("switch_8.yaml", {"model.losses": losses}))
        next(timing._steps(run))
        embeddings.append(run.model.network.embedding.weight)
    assert torch.equal(*embeddings)
