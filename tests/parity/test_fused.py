"""The fused dispatcher: where its kernels run, and what runs elsewhere."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.dispatch import Fused, Grouped
from moebench.moe.dispatch.fused import dispatcher, fits, usable
from moebench.moe.experts import ReluMLP, SwiGLU

CUDA = torch.device("cuda")


def test_the_kernels_compute_what_the_loop_does() -> None:
    """On the GPU, or interpreted, of which Triton must know before anything imports it."""
    pytest.importorskip("triton", reason="triton is not installed: pip install moebench[gpu]")
    environment = dict(os.environ)
    if not torch.cuda.is_available():
        environment["TRITON_INTERPRET"] = "1"
    file = Path(__file__).with_name("fused_kernels.py")
    command = [sys.executable, "-m", "pytest", "-q", "--noconftest", "-p", "no:cacheprovider"]
    done = subprocess.run([*command, str(file)], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]


@pytest.fixture
def decision() -> RoutingDecision:
    scores_TE = torch.randn(6, 4)
    return tokens_choose(scores_TE, scores_TE.softmax(-1), scores_TE.topk(2)[1], torch.rand(6, 2))


@pytest.fixture
def everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernels are said to run on any device."""
    monkeypatch.setattr(dispatcher, "usable", lambda device: True)


@pytest.mark.usefixtures("everywhere")
def test_what_the_kernels_support(decision: RoutingDecision) -> None:
    x_TD, experts = torch.randn(6, 8), SwiGLU(8, 4, hidden=5)
    assert fits(experts, x_TD, decision)
    for dtype in (torch.bfloat16, torch.float16):
        assert fits(SwiGLU(8, 4, hidden=5).to(dtype), x_TD.to(dtype), decision)
        assert not fits(experts, x_TD.to(dtype), decision)  # two types, one of them not cast
        with torch.autocast("cpu", dtype):
            assert fits(experts, x_TD, decision)
            assert not fits(experts, x_TD.double(), decision)
    assert not fits(SwiGLU(8, 4, hidden=5).double(), x_TD.double(), decision)
    assert not fits(ReluMLP(8, 4, hidden=5), x_TD, decision)
    nothing = replace(decision, token_A=decision.token_A[:0])
    assert not fits(experts, x_TD, nothing)


@pytest.mark.usefixtures("everywhere")
def test_experts_that_are_changed_run_as_they_are(decision: RoutingDecision) -> None:
    """By a hook, or by a class of their own."""

    class Louder(SwiGLU):
        def forward(self, x_RD: torch.Tensor, count_E: torch.Tensor) -> torch.Tensor:
            return 2 * super().forward(x_RD, count_E)

    x_TD, experts = torch.randn(6, 8), SwiGLU(8, 4, hidden=5)
    assert not fits(Louder(8, 4, hidden=5), x_TD, decision)
    handle = experts.register_forward_hook(lambda module, arguments, answer: 2 * answer)
    assert not fits(experts, x_TD, decision)
    doubled = Fused()(x_TD, decision, experts)
    handle.remove()
    torch.testing.assert_close(doubled, 2 * Grouped()(x_TD, decision, experts))
    assert fits(experts, x_TD, decision)


@pytest.mark.skipif(torch.cuda.is_available(), reason="of machines without a GPU")
def test_a_cpu_has_no_kernels(decision: RoutingDecision, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the answer is that of `Grouped` to the bit."""
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    x_TD, experts = torch.randn(6, 8), SwiGLU(8, 4, hidden=5)
    assert not usable(torch.device("cpu"))
    assert torch.equal(Fused()(x_TD, decision, experts), Grouped()(x_TD, decision, experts))


@pytest.mark.parametrize(
    ("installed", "major", "expected"), [(True, 9, True), (True, 7, False), (False, 9, False)]
)
def test_which_gpus_are_usable(
    installed: bool, major: int, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = SimpleNamespace(major=major)
    monkeypatch.setattr(dispatcher, "INSTALLED", installed)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: card)
    assert usable(CUDA) is expected
