"""Measurements on a GPU: comparisons detect faults, and sizes fit."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from benchmarks.gpu import contenders, parity, repeat
from benchmarks.gpu.folder import read
from benchmarks.gpu.layer import Case, fitting
from benchmarks.gpu.mixture import Mixture, Shape
from benchmarks.gpu.tables import COMMITTED, PAGE, with_tables
from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.dispatch import Grouped
from moebench.moe.routers import TopK

CPU = torch.device("cpu")
TINY = Shape("tiny", tokens=16, dim=16, hidden=16, experts=4, k=2)


class Unweighted(nn.Module):
    """A dispatcher that ignores the routing weight of two rows."""

    def forward(self, x_TD: Tensor, decision, experts: nn.Module) -> Tensor:
        weight_A = decision.weight_A.clone()
        weight_A[:2] = 1.0
        return Grouped()(x_TD, replace(decision, weight_A=weight_A), experts)


class Rounded(TopK):
    """A router that decides in the tokens' data type."""

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        logits_TE = x_TD @ self.score.weight.T
        top_TK, expert_TK = logits_TE.topk(self.k, dim=-1)
        return tokens_choose(logits_TE, logits_TE.softmax(-1), expert_TK, top_TK.softmax(-1))


def compared(dtype: torch.dtype, router: str, dispatcher: str) -> dict:
    return parity.Case(CPU, dtype, router, dispatcher, parity.SMALL)()


@pytest.mark.parametrize("dtype", parity.DTYPES)
def test_errors_are_explained_by_rounding(dtype: torch.dtype) -> None:
    """But only just, so that anything more than rounding is detected."""
    found = compared(dtype, "top_k", "grouped")
    assert found["passed"]
    if dtype != torch.float64:  # which the CPU computes as the loop does
        assert max(found["errors"].values()) > found["allowed"]["errors"] / 100
    assert found["same bits"] == {"by default": True, "deterministic": True}
    assert found["waits for the card"]["dispatch"] == repeat.ON_CPU


def test_a_faulty_dispatcher_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(parity.DISPATCHERS, "faulty", Unweighted)
    found = compared(torch.bfloat16, "top_k", "faulty")
    assert not found["passed"]
    assert found["errors"]["output"] > found["allowed"]["errors"]
    assert found["routing"]["scores"] <= found["allowed"]["scores"]


def test_a_router_in_low_precision_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its decision is executed unchanged, so the dispatcher is not blamed."""
    monkeypatch.setitem(parity.ROUTERS, "rounded", Rounded)
    found = compared(torch.bfloat16, "rounded", "grouped")
    assert not found["passed"]
    assert found["routing"]["scores"] > found["allowed"]["scores"]
    assert max(found["errors"].values()) <= found["allowed"]["errors"]


def test_random_routers_may_draw_differently() -> None:
    found = compared(torch.float32, "random", "grouped")
    assert found["passed"]
    assert found["routing"]["drawn"]


def test_differing_bits_are_detected() -> None:
    found = repeat.repeatable(lambda: [torch.rand(3)])
    assert found == {"by default": False, "deterministic": False}


@pytest.mark.parametrize("name", [n for n in contenders.builders() if n.startswith("moebench")])
def test_every_dispatcher_is_timed_against_dense(name: str) -> None:
    found = Case(CPU, TINY, name, asked=32)()
    assert found["shape"]["tokens asked for"] == 32
    assert found["error against ours"] < 0.02
    forward, both = found["forward"], found["forward and back"]
    assert forward["flops per second"][name] == pytest.approx(
        2 * 16 * 2 * 3 * 16 * 16 / forward["seconds"][name]
    )
    assert both["flops per second"][name] == pytest.approx(
        3 * 2 * 16 * 2 * 3 * 16 * 16 / both["seconds"][name]
    )
    assert both["time over dense"]["ratio"] > 0
    assert sum(found["rows of an expert"].values()) <= 16 * 2


@pytest.mark.parametrize("name", ["huggingface grouped", "huggingface eager"])
def test_third_party_blocks_get_our_weights(name: str) -> None:
    pytest.importorskip("transformers")
    torch.manual_seed(0)
    mixture = Mixture(TINY)
    x_TD = torch.randn(16, 16)
    theirs = contenders.builders()[name](mixture)(x_TD)
    torch.testing.assert_close(theirs, contenders.ours(mixture)(x_TD)[0])


def test_a_block_with_different_outputs_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as one with gate and up swapped."""

    def exchanged(mixture: Mixture) -> nn.Module:
        other = Mixture(mixture.shape).to(torch.bfloat16)
        gate_EDF, up_EDF = mixture.experts.gate_up_EDF.detach().chunk(2, dim=-1)
        other.experts.gate_up_EDF.data = torch.cat([up_EDF, gate_EDF], dim=-1)
        other.experts.down_EFD.data = mixture.experts.down_EFD.detach()
        other.router.score.weight.data = mixture.router.score.weight.detach()
        return contenders.ours(other)

    monkeypatch.setattr("benchmarks.gpu.layer.builders", lambda: {"exchanged": exchanged})
    with pytest.raises(ValueError, match="its outputs differ from ours"):
        Case(CPU, TINY, "exchanged", asked=16)()


def test_tokens_are_halved_until_they_fit() -> None:
    """At 2 bytes each: 4 x 3072 weights of ours, 6 x 512 of dense, and 4 x 80 numbers per row."""
    weights, row = 2 * (4 * 3072 + 6 * 2 * 16 * 16), 2 * 4 * (2 * 16 + 3 * 16)
    whole = (weights + 16 * 2 * row) / 0.9
    assert fitting(TINY, whole + 1).tokens == 16
    assert fitting(TINY, whole - 1).tokens == 8
    assert fitting(TINY, 0).tokens == 1


def test_the_committed_tables_are_up_to_date() -> None:
    page = PAGE.read_text()
    assert with_tables(page, list(read(COMMITTED))) == page, "python -m benchmarks.gpu.tables"
