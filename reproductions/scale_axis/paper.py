"""The scale axis: do the headline comparisons change with the size of the models?

Losses are in nats per token; lower is better. All claims are our own. plan.py defines the arms.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

from moebench.papers.claim import Claim, Paper
from reproductions.scale_axis.comparisons import (
    BALANCE,
    CHOICES,
    EVENNESS,
    EXPERTS,
    FLAT,
    SEEDS,
    SHRINKING,
    SPARSE,
)
from reproductions.scale_axis.judging import GainOverSize

PAPER = Paper(
    key="scale_axis",
    name="scale",
    title="Do comparisons of mixtures change with the size of the models?",
    authors="this project",
    year=2026,
    arxiv="",
    headline="SA26-01",
)
PATH = (
    "all sizes are trained on as many tokens; in practice larger models are trained on more, and "
    "what mixtures gain grows with training"
)


def _question(key: str, says: str, test: GainOverSize, **more: Any) -> Claim:
    """Return a claim of ours."""
    given: dict[str, Any] = {
        "source": "our own question",
        "paper_values": {},
        "ours": True,
        "seeds": SEEDS,
        "caution": PATH,
    }
    return Claim(key=key, says=says, test=test, **{**given, **more})


QUESTIONS = [
    _question(
        "SA26-01",
        "What a mixture of 8 experts gains over its dense twin, at equal FLOPs a token, does not "
        "shrink with the size of the models",
        SPARSE,
        matched_on="active_flops",
    ),
    _question(
        "SA26-02",
        "At a capacity factor of 1.25, what two experts a token gain over one shrinks with the "
        "size of the models",
        CHOICES,
        matched_on="steps",
    ),
    _question(
        "SA26-03",
        "What 32 experts gain over 8, at equal FLOPs a token, does not shrink with the size of the "
        "models",
        EXPERTS,
        matched_on="active_flops",
    ),
    _question(
        "SA26-04",
        "What a balance weight of 0.01 gains in loss over none does not shrink with the size of "
        "the models",
        BALANCE,
        matched_on="steps",
    ),
    _question(
        "SA26-04v",
        "By how much that weight lowers the load of the busiest expert does not shrink with the "
        "size of the models",
        EVENNESS,
        matched_on="steps",
        uncontrolled="for no two routers is it known in advance how much more even one of them is",
    ),
]


def _controls(claim: Claim) -> Iterator[Claim]:
    """Yield both controls of a claim, which all claims share: the same runs, by its own test."""
    assert isinstance(claim.test, GainOverSize)
    steady = claim.test.trend == "does not shrink"
    kinds: list[tuple[str, str, Literal["effect", "no effect"], bool]] = [
        ("p", "Positive", "effect", steady),
        ("n", "Null", "no effect", not steady),
    ]
    for ending, kind, expects, flat in kinds:
        told = (
            "a mixture of one expert in place of the first arm computes what its dense twin does, "
            "at the smallest size and at the largest, so its gain of nothing stays"
            if flat
            else "at the smallest size the blocks of the second arm are a quarter as wide, at the "
            "largest both arms compute the same, so a gain is lost"
        )
        yield Claim(
            key=claim.key + ending,
            says=f"{kind} control: {told}",
            source=f"none; a control of {claim.key}",
            paper_values={},
            test=replace(claim.test, series=FLAT if flat else SHRINKING),
            matched_on="active_flops" if flat else "steps",
            seeds=SEEDS,
            control_of=claim.key,
            expects=expects,
        )


CLAIMS = [
    one for claim in QUESTIONS for one in (claim, *(() if claim.uncontrolled else _controls(claim)))
]
