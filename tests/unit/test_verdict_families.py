"""Every family of tests on data where the answer is plain."""

from collections.abc import Sequence
from typing import Any

import pytest

from moebench.claims import Claim
from moebench.records import RunRecord
from moebench.verdict import Verdict, judge

NOISE = (0.01, -0.01, 0.0, 0.005, -0.005)


def run(
    arm: str, seed: int, metrics: dict[str, float], seconds: float = 10.0, tokens: int = 2048
) -> RunRecord:
    """A run of 100 steps of so many tokens, in so many seconds."""
    return RunRecord(
        target="x",
        profile="full",
        arm=arm,
        seed=seed,
        status="finished",
        config_hash="",
        commit="",
        steps=100,
        tokens=100 * tokens,
        seconds=seconds,
        tokens_per_second=100 * tokens / seconds,
        metrics=metrics,
    )


def losses(spread: Sequence[float] = NOISE, **means: float) -> list[RunRecord]:
    """Runs of five seeds; arms share no noise, as each shifts it by one."""
    return [
        run(arm, seed, {"valid/loss": mean + spread[(seed + shift) % 5]})
        for shift, (arm, mean) in enumerate(means.items())
        for seed in range(5)
    ]


def judged(records: list[RunRecord], test: str, arms: Sequence[str], **changes: Any) -> Verdict:
    given = {"key": "X-01", "says": "", "source": "", "paper_values": {}, "matched_on": "steps"}
    claim = Claim(**{**given, "test": test, "arms": tuple(arms), "margin": 0.05, **changes})
    (verdict,) = judge([claim], records, "full")
    return verdict


def states(verdict: Verdict) -> list[str]:
    return [condition["state"] for condition in verdict.conditions]


@pytest.mark.parametrize(
    ("means", "found"),
    [
        ({"a": 0.02, "b": 0.2}, ["holds", "holds"]),
        ({"a": 0.1, "b": 0.2}, ["holds", "refuted"]),
        ({"a": 0.02, "b": 0.01}, ["refuted", "holds"]),
    ],
)
def test_lower_and_within(means: dict[str, float], found: list[str]) -> None:
    small = [noise / 10 for noise in NOISE]
    settings = {"settings": {"within": 0.03}, "margin": 0.005}
    verdict = judged(losses(small, **means), "lower_and_within", "ab", **settings)
    assert states(verdict) == found
