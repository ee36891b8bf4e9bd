"""Which precision a machine trains in, where it is asked for the faster one."""

import logging
from collections.abc import Iterator

import pytest
import torch

from moebench.experiment import precision


@pytest.fixture(autouse=True)
def asked_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No answer is remembered, and there is no accelerator."""
    precision.faster_precision.cache_clear()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    yield
    precision.faster_precision.cache_clear()


@pytest.mark.parametrize(
    ("ratio", "chosen"), [(0.4, "bf16-mixed"), (1.2, "bf16-mixed"), (40.0, "32-true")]
)
def test_a_processor_slow_at_bfloat16_trains_in_float32(
    ratio: float, chosen: str, tiny, monkeypatch, caplog
) -> None:
    monkeypatch.setattr(precision, "bfloat16_ratio", lambda: ratio)
    for _ in range(2):
        made = tiny("switch_8.yaml", {"trainer.precision": "faster"})
        assert made.config["trainer"]["precision"] == chosen
    told = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert told == (
        ["bfloat16 takes 40 times as long as float32 on this processor: runs are in float32"]
        if chosen == "32-true"
        else []
    ), "said once"


def test_a_precision_that_is_named_stays(tiny, monkeypatch) -> None:
    monkeypatch.setattr(precision, "bfloat16_ratio", lambda: 40.0)
    made = tiny("switch_8.yaml", {"trainer.precision": "bf16-mixed"})
    assert made.config["trainer"]["precision"] == "bf16-mixed"


@pytest.mark.parametrize(("native", "chosen"), [(True, "bf16-mixed"), (False, "32-true")])
def test_an_accelerator_is_asked_for_itself(native: bool, chosen: str, monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: native)
    monkeypatch.setattr(precision, "bfloat16_ratio", lambda: 40.0)
    assert precision.faster_precision() == chosen


def test_measuring_leaves_the_threads_as_they_are() -> None:
    before = torch.get_num_threads()
    assert precision.bfloat16_ratio(size=64, repeats=1) > 0
    assert torch.get_num_threads() == before
