"""What the bias touches, and what expert choice can leak, by hand."""

import pytest
import torch

from moebench.moe.routers import SigmoidTopK
from moebench.papers.claim import VerdictLabel
from moebench.testing.verdicts import run
from moebench.verdict import judge
from reproductions.loss_free_2024 import arithmetic
from reproductions.loss_free_2024.arithmetic import bias_choice, leak
from reproductions.loss_free_2024.bias_claims import BIAS

EXACT = [claim for claim in BIAS if claim.key in ("LF24-06", "LF24-07")]


def test_bits_by_hand() -> None:
    """R = 2 / 16, so (1 - R) / R = 7; 18 picks give 18 * log2 7, of which log2 7 = 2.807."""
    assert leak()["bits"] == pytest.approx(18 * 2.807355)


def test_both_are_as_stated() -> None:
    records = [run("bias_choice", metrics=bias_choice()), run("leak", metrics=leak())]
    found = [one.verdict for one in judge(EXACT, records, "full")]
    assert found == [VerdictLabel.REPRODUCED] * 2


class Leaking(SigmoidTopK):
    """A gate whose weights contain the bias."""

    def forward(self, x_TD: torch.Tensor):
        decision = super().forward(x_TD)
        decision.weight_A.add_(self.bias_E[decision.expert_A])
        return decision


def test_a_gate_that_weights_by_its_bias_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arithmetic, "SigmoidTopK", Leaking)
    found = bias_choice()
    assert found["weight/deviation"] > 0.1
    records = [run("bias_choice", metrics=found)]
    assert judge(EXACT[:1], records, "full")[0].verdict is VerdictLabel.NOT_REPRODUCED
