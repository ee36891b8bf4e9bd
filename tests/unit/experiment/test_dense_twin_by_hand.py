"""The width of a dense twin, worked out by hand for every kind of mixture.

For each token a feature of a dense block costs the weights of its two columns, 2 D, and a gated
one 3 D. So a router of E scores costs E / 2 or E / 3 features, and a twin's blocks have the mean of
what the mixture's have. All sums are multiples of 16: the twins are equal.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from moebench.experiment import dense_twin as baselines
from moebench.experiment.dense_twin import training_flops as work
from moebench.experiment.dense_twin import twin
from moebench.experiment.dense_twin.training_flops import TrainingSetup, training_setup
from moebench.models import Decoder, RotaryDecoder
from moebench.models.decoder import DecoderShape
from moebench.models.t5_blocks import Shape
from moebench.moe import Capacity, Limited, Sparse
from moebench.moe.experts import Linear, ReluMLP, SwiGLU
from moebench.moe.experts.shared import GatedShared, Shared
from moebench.moe.routers import Batchwise, NoisyTopK, Sampled, Switch, TopK
from moebench.papers.plan import MATCHED_COST, MatchedOn
from moebench.training.cost import parameters
from moebench.training.module import Training

V, D, F = 24, 16, 64  # F features of a dense block
NO_MORE: Mapping[str, Any] = {}
SIZE = {"width": D, "layers": 2, "heads": 2, "hidden": F}
MODELS: dict[str, Callable[..., nn.Module]] = {
    "Decoder": lambda v, shape, **parts: Decoder(v, Shape(**shape), **parts),
    "RotaryDecoder": lambda v, shape, **parts: RotaryDecoder(v, DecoderShape(**shape), **parts),
}


TRAINER = SimpleNamespace(strategy=SimpleNamespace(root_device=torch.device("cpu")))


@dataclass(frozen=True)
class Parts:
    """An experiment whose configuration has the parts of a model instead of their names."""

    config: Mapping[str, Any]

    @classmethod
    def of(cls, network: dict[str, Any]) -> "Parts":
        return cls({"model": {"network": network}})

    def build(self, logger: bool) -> tuple[Training, SimpleNamespace, SimpleNamespace]:
        network = self.config["model"]["network"]
        model = Training(
            V, partial(MODELS[network["class_path"].rpartition(".")[2]], **network["init_args"])
        )
        batch = SimpleNamespace(input_BL=torch.arange(32).view(2, 16) % V, context_BL=None)
        data = SimpleNamespace(setup=lambda stage: None, train_dataloader=lambda: [batch])
        return model, data, TRAINER


def network(
    name: str, sparse: Sparse, more: Mapping[str, Any] = NO_MORE, **size: int
) -> dict[str, Any]:
    arguments = {"shape": SIZE | size, "sparse": sparse, **more}
    return {"class_path": f"moebench.models.{name}", "init_args": arguments}


def mixture(
    router: Callable[[int], nn.Module],
    experts: Callable[[int, int, int], nn.Module],
    hidden: int,
    every: int = 2,
) -> Sparse:
    return Sparse(router, lambda dim, count: experts(dim, count, hidden), every=every)


def switch(num_experts: int, factor: float = 1.25) -> Callable[[int], nn.Module]:
    return lambda dim: Limited(dim, lambda d: Switch(d, num_experts), Capacity(factor=factor))


def top(num_experts: int) -> Callable[[int], nn.Module]:
    return lambda dim: TopK(dim, num_experts, k=2)


PROJECTIONS = {"attention_sparse": Sparse(switch(16), Linear)}
SHARED = {"shared": lambda dim: Shared(dim, 29)}
GATED = {"shared": lambda dim: GatedShared(dim, 29)}
FLOPS = {
    "Switch": (
        network("Decoder", mixture(switch(16), ReluMLP, 88)),
        (F + 88 + 16 / 2) / 2,
    ),
    "Switch that drops half": (
        network("Decoder", mixture(switch(16, factor=0.5), ReluMLP, 88)),
        (F + 88 + 16 / 2) / 2,
    ),
    "Switch in every block": (
        network("Decoder", mixture(switch(16), ReluMLP, 88, every=1)),
        88 + 16 / 2,
    ),
    "two experts": (
        network("Decoder", mixture(top(16), ReluMLP, 44)),
        (F + 2 * 44 + 16 / 2) / 2,
    ),
    "a gate and its noise": (
        network("Decoder", mixture(lambda dim: NoisyTopK(dim, 16, k=2), ReluMLP, 40)),
        (F + 2 * 40 + 2 * 16 / 2) / 2,
    ),
    "experts that choose": (
        network("Decoder", mixture(lambda dim: Batchwise(dim, 8, k=3), ReluMLP, 52)),
        (F + 3 * 52 + 8 / 2) / 2,
    ),
    "gated experts": (
        network("Decoder", mixture(switch(16), SwiGLU, 80)),
        (F + 80 * 3 / 2 + 16 / 2) / 2,
    ),
    "attention too": (
        network("Decoder", mixture(switch(16), ReluMLP, 64), PROJECTIONS),
        (F + 64 + 16 / 2 + 3 * 16 / 2) / 2,
    ),
    "shared experts": (
        network("RotaryDecoder", mixture(top(9), SwiGLU, 32, every=1), SHARED),
        2 * 32 + 29 + 9 / 3,
    ),
    "shared experts with a gate": (
        network("RotaryDecoder", mixture(top(8), SwiGLU, 32, every=1), GATED),
        2 * 32 + 29 + (8 + 1) / 3,
    ),
    "a first layer without experts": (
        network("RotaryDecoder", mixture(top(9), SwiGLU, 32, every=1), SHARED, dense_layers=1),
        (F + 2 * 32 + 29 + 9 / 3) / 2,
    ),
    "ungated experts": (
        network("RotaryDecoder", mixture(top(9), ReluMLP, 48, every=1), SHARED),
        2 * 48 * 2 / 3 + 29 + 9 / 3,
    ),
}
PARAMETERS = {
    "gated experts": (
        network("Decoder", mixture(switch(16), SwiGLU, 5)),
        (F + 16 * 5 * 3 / 2 + 16 / 2) / 2,
    ),
    "shared experts": (
        network("RotaryDecoder", mixture(top(9), SwiGLU, 16, every=1), SHARED),
        9 * 16 + 29 + 9 / 3,
    ),
}


@pytest.mark.parametrize(
    ("matched_on", "of", "width"),
    [
        pytest.param(matched_on, *case, id=f"{matched_on}, {name}")
        for matched_on, cases in (("active_flops", FLOPS), ("total_params", PARAMETERS))
        for name, case in cases.items()
    ],
)
def test_the_width_is_the_one_worked_out_by_hand(
    matched_on: MatchedOn, of: dict[str, Any], width: float, caplog
) -> None:
    made = twin(Parts.of(of), matched_on)
    assert made.width == pytest.approx(width)
    assert made.ratio == pytest.approx(1, abs=1e-12)
    assert list(made.planned) == [MATCHED_COST[matched_on]]
    assert "not equal" not in caplog.text


@pytest.mark.parametrize(("hidden", "width"), [(63, 64), (65, 80)])
def test_the_width_is_the_nearest_multiple(hidden: int, width: int) -> None:
    """Of 63 + 16 / 2 = 71, and of 73."""
    sparse = mixture(switch(16), ReluMLP, hidden, every=1)
    assert twin(Parts.of(network("Decoder", sparse)), "active_flops").width == width


@pytest.mark.parametrize(
    ("matched_on", "cost", "hidden", "above"),
    [("active_flops", "FLOPs", 1, True), ("total_params", "parameters", 11, False)],
)
def test_a_twin_that_cannot_be_equal_says_so(
    matched_on: MatchedOn, cost: str, hidden: int, above: bool, caplog
) -> None:
    """Blocks of 16 in the place of 1 + 2 / 2 features, or of 2 * 11 + 2 / 2."""
    sparse = mixture(switch(2), ReluMLP, hidden, every=1)
    made = twin(Parts.of(network("Decoder", sparse)), matched_on)
    assert made.width == 16
    assert made.ratio > 1.05 if above else made.ratio < 0.95
    assert (
        f"dense twin: {cost} x{made.ratio:.3f} of the mixture's, not equal; hidden=16 is the"
        " nearest width (a multiple of 16)"
    ) in caplog.text


@pytest.mark.parametrize(("ratio", "equal"), [(1.08, True), (0.92, True), (1.12, False)])
def test_times_are_equal_within_a_tenth(ratio: float, equal: bool, caplog, monkeypatch) -> None:
    monkeypatch.setattr(baselines, "step_time_ratio", lambda one, other: ratio)
    monkeypatch.setitem(baselines.COSTS, "step_time", lambda of: 0.5)
    made = twin(Parts.of(FLOPS["Switch"][0]), "step_time")
    assert made.planned == {"seconds_per_step": 0.5}
    assert made.ratio == ratio
    assert ("time x1.120 of the mixture's" in caplog.text) == (not equal)


def test_time_is_that_of_the_mixture_as_it_drops(monkeypatch) -> None:
    """A stand-in of the clock goes by the capacity of the mixture and the width of its twin."""

    def seconds(of: TrainingSetup) -> float:
        limits = [m.capacity.factor for m in of.model.modules() if isinstance(m, Limited)]
        return 1000.0 * sum(limits) if limits else parameters(of.model) / 100

    monkeypatch.setattr(
        baselines, "step_time_ratio", lambda one, other: seconds(one) / seconds(other)
    )
    monkeypatch.setitem(baselines.COSTS, "step_time", seconds)
    narrow, wide = (
        twin(Parts.of(network("Decoder", mixture(switch(16, factor), ReluMLP, 88))), "step_time")
        for factor in (0.5, 4.0)
    )
    assert narrow.width < wide.width


@pytest.mark.parametrize("router", [Switch, TopK, Batchwise, NoisyTopK, Sampled])
def test_fixed_rows_need_no_training(router: Callable[..., nn.Module], monkeypatch) -> None:
    monkeypatch.setattr(work, "_trained", None)
    sparse = mixture(lambda dim: router(dim, 16), ReluMLP, 8)
    assert len(training_setup(Parts.of(network("Decoder", sparse))).batches) == 1
