"""The claims that printed figures decide: what they add up to.

Source: Du et al. 2021, GLaM (arXiv 2112.06905).
"""

from typing import Any

from moebench.papers.claim import Claim
from moebench.verdict.exact import Exact
from reproductions.glam_2021.published import FLOPS, LARGEST, MODELS, PERCENT, TABLE_1

ARITHMETIC: dict[str, Any] = {"matched_on": None, "seeds": 1, "level": "arithmetic"}
ROUNDED = 0.5  # of the last printed digit, by which rounding can move a number
BOTH = ("total", "active")
SMALLER = ", smaller vocabulary"  # ends the names of metrics with 32,000 words
BY_SMALLER = ("1.7B/32E", "1.7B/64E", "1.7B/128E", "8B/64E")


def rounded(names: list[str]) -> dict[str, float]:
    """Return the limits for parameters of these models, both total and active."""
    return {f"{name}, {what} off": ROUNDED for name in names for what in BOTH}


OF_FUNCTIONS = [
    Claim(
        key="GL21-01",
        says="GLaM beats GPT-3 in the mean over 29 tasks by 10.2% zero-shot, 6.3% one-shot and "
        "4.4% few-shot, with 48.6% fewer FLOPs a token and 64.6% less energy",
        source="Table 1",
        paper_values={name: list(pair) for name, pair in TABLE_1.items()},
        test=Exact(arm="percentages", unit="per cent", equals=PERCENT, tolerance=0.05),
        caution="that the percentages follow from the scores; the scores themselves are not tested "
        "here",
        **ARITHMETIC,
    ),
    Claim(
        key="GL21-01f",
        says="A token costs GLaM 180 billion FLOPs",
        source="Table 1; dimensions in Table 4",
        paper_values={"FLOPs": FLOPS, "active": MODELS[LARGEST].active},
        test=Exact(
            arm="flops",
            unit="of the last digit",
            at_most={"counted off": ROUNDED, "by parameters off": ROUNDED},
        ),
        caution="the paper does not say how it counts; neither counting all products nor two for "
        "each active parameter, by which GPT-3's 350 billion follow from its 175, gives 180",
        **ARITHMETIC,
    ),
    Claim(
        key="GL21-02m",
        says="A model with the dimensions of GLaM 64B/64E has 1.2 trillion parameters, 96.6 "
        "billion of them active for a token",
        source="Table 4",
        paper_values={"total": MODELS[LARGEST].total, "active": MODELS[LARGEST].active},
        test=Exact(arm="table_4", unit="of the last digit", at_most=rounded([LARGEST])),
        **ARITHMETIC,
    ),
    Claim(
        key="GL21-02t",
        says="All models of the table have the printed parameters, with the vocabulary of 256,000",
        source="Table 4; section 4",
        paper_values={name: f"{model.total}, {model.active}" for name, model in MODELS.items()},
        test=Exact(arm="table_4", unit="of the last digit", at_most=rounded(list(MODELS))),
        **ARITHMETIC,
    ),
    Claim(
        key="GL21-02v",
        says="With a vocabulary of 32,000 instead, the mixtures of 1.7B with up to 128 experts and "
        "that of 8B have the printed active parameters",
        source="none; which vocabulary Table 4 seems to count",
        paper_values={name: MODELS[name].active for name in BY_SMALLER},
        test=Exact(
            arm="table_4",
            unit="of the last digit",
            at_most={f"{name}, active{SMALLER} off": ROUNDED for name in BY_SMALLER},
        ),
        ours=True,
        **ARITHMETIC,
    ),
]
