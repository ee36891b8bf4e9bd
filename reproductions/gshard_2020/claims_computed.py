"""The claims that a computation decides: what the gate does, and what printed figures add up to.

Source: Lepikhin et al. 2020, GShard (arXiv 2006.16668).
"""

from typing import Any

from moebench.papers.claim import Claim
from moebench.verdict.exact import Exact
from reproductions.gshard_2020.published import MODELS, TOKENS

SIZES = (2, 8, 128, 512)  # numbers of experts for which the auxiliary loss is computed
MECHANISM: dict[str, Any] = {"matched_on": None, "seeds": 1, "level": "mechanism-cpu"}
ARITHMETIC: dict[str, Any] = {"matched_on": None, "seeds": 1, "level": "arithmetic"}
# Ten bins of 10,000 tokens: a rate has a standard error of 0.005, so 0.02 is four of them.
RATE: dict[str, Any] = {"at_most": {"largest gap": 0.02}, "unit": "share of tokens"}

MECHANISMS = [
    Claim(
        key="G20-01",
        says="The second expert is dispatched with a probability of twice its normalised gate g2",
        source="Section 2.2, algorithm 1",
        paper_values={"rule": "2 g2 > uniform(0, 1)"},
        test=Exact(arm="second_at_random", **RATE),
        **MECHANISM,
    ),
    Claim(
        key="G20-01n",
        says="Null control: a gate that always dispatches two experts does so with that rate",
        source="none; a control of G20-01",
        paper_values={},
        test=Exact(arm="second_always", **RATE),
        control_of="G20-01",
        expects="no effect",
        **MECHANISM,
    ),
    Claim(
        key="G20-02",
        says="Each group of tokens gives each expert a capacity of 2N / (GE), first choices first; "
        "a token both of whose experts are full gets nothing from the layer",
        source="Section 2.2, algorithm 1",
        paper_values={"capacity": "2N / (GE)"},
        test=Exact(
            arm="groups",
            metric="rows over capacity",
            unit="rows",
            equals={
                "rows over capacity": 0,
                "fullest": 256,  # 2 x 4096 / (4 x 8)
                "their output": 0,
                "first choices behind second ones": 0,
                "rows changed by another group": 0,
            },
            at_least={"overflowed tokens": 1},  # or the others would say nothing
        ),
        **MECHANISM,
    ),
    Claim(
        key="G20-03",
        says="The auxiliary loss is the mean over experts of their share of first choices times "
        "their mean gate: 1 / E^2 when routing is uniform, 1 / E when it has collapsed",
        source="Section 2.2, algorithm 1, line 13",
        paper_values={"loss": "1/E sum_e (c_e / S) m_e"},
        test=Exact(
            arm="auxiliary_loss",
            metric=f"uniform@{SIZES[0]}",
            unit="",
            equals={f"uniform@{n}": 1 / n**2 for n in SIZES}
            | {f"collapsed@{n}": 1 / n for n in SIZES}
            | {f"moved@{n}": 0.0 for n in SIZES},
        ),
        caution="the text calls the count of tokens a result of both choices; where the algorithm "
        "forms the loss, it has counted first choices alone",
        **MECHANISM,
    ),
]
ADDING_UP = [
    Claim(
        key="G20-04t",
        says="The numbers of experts in all layers are those per layer, times half the layers",
        source="Table 1, experts total",
        paper_values={name: row.experts_total for name, row in MODELS.items()},
        test=Exact(
            arm="table_1",
            unit="experts",
            equals={f"{name}, experts": row.experts_total for name, row in MODELS.items()},
        ),
        caution="the totals are those of a text copy of the paper, which may have changed digits; "
        "whether the paper has them so was not checked",
        **ARITHMETIC,
    ),
    Claim(
        key="G20-04w",
        says="Models with the printed dimensions have the printed numbers of weights",
        source="Table 1, weights; appendix A.2",
        paper_values={name: row.weights for name, row in MODELS.items()},
        test=Exact(
            arm="table_1",
            unit="of the last digit",
            # Rounding to the last printed digit moves a number by up to half a unit of it.
            at_most={f"{name}, weights off": 0.5 for name in MODELS},
        ),
        **ARITHMETIC,
    ),
    Claim(
        key="G20-05a",
        says="With 12 layers, four times the experts gain 3.3 points of BLEU, and four times more "
        "another 1.3",
        source="Section 4.4; Table 3",
        paper_values={"128 to 512": 3.3, "512 to 2048": 1.3},
        test=Exact(
            arm="gains",
            unit="points of BLEU",
            equals={"128 to 512": 3.3, "512 to 2048": 1.3},
        ),
        **ARITHMETIC,
    ),
    Claim(
        key="G20-06a",
        says="Three times the depth needs 2 to 3 times fewer tokens to the same training loss",
        source="Section 4.5, Table 2",
        paper_values={name: list(pair) for name, pair in TOKENS.items()},
        test=Exact(
            arm="depth",
            unit="times fewer tokens",
            at_least={"least": 2.0},
            at_most={"most": 3.0},
            tolerance=0.5,  # stated in whole numbers
        ),
        **ARITHMETIC,
    ),
    Claim(
        key="G20-07a",
        says="From 128 experts to 2048 a model grows 16 times, and its training cost less than 4 "
        "times",
        source="Abstract, section 5, Tables 1 and 3",
        paper_values={"weights": ("37B", "600B"), "core-years": (6.1, 22.4)},
        test=Exact(
            arm="growth",
            unit="times",
            metric="core-years",
            at_least={"weights": 15.5},  # "16 times" is a whole number; "less than 4" is a limit
            at_most={"core-years": 4.0},
        ),
        **ARITHMETIC,
    ),
    Claim(
        key="G20-07",
        says="A model 16 times as large trains at less than 4 times the cost, in core-years of TPU",
        source="Abstract, section 5",
        paper_values={"128E-36L": 6.1, "2048E-36L": 22.4, "T(96L)": 235.5},
        matched_on=None,
        level="not-testable-here",
        because="Needs up to 2048 accelerators, each with one expert of every layer. G20-07a "
        "checks the printed figures, and G20-07s the time of a step on one processor.",
    ),
]
OF_FUNCTIONS = [*MECHANISMS, *ADDING_UP]
