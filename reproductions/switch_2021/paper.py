"""Switch Transformers: the paper, its claims, and those that are arithmetic.

The arms stand in plan.py. Losses are in nats per token, lower is better; the paper prints their
negatives. Margins are the smallest effects that would count: 0.01 nats, and 0.005 where effects of
the paper are below 0.01.

Source: Fedus, Zoph and Shazeer 2021 (arXiv 2101.03961).
"""

from moebench.papers.claim import Claim, Paper
from moebench.verdict.exact import Exact
from reproductions.switch_2021.controls import CONTROLS
from reproductions.switch_2021.routing_claims import ROUTING
from reproductions.switch_2021.scaling_claims import SCALING
from reproductions.switch_2021.untested import UNTESTED

PAPER = Paper(
    key="switch_2021",
    name="switch",
    title="Switch Transformers: Scaling to Trillion Parameter Models with Simple and "
    "Efficient Sparsity",
    authors="Fedus, Zoph and Shazeer",
    year=2021,
    arxiv="2101.03961",
)
# Arms that are functions, not trainings: name -> "module:function", which returns the metrics.
COMPUTED = {
    "balance_loss": "reproductions.switch_2021.arithmetic:balance_loss",
    "balance_minimum": "reproductions.switch_2021.arithmetic:balance_minimum",
}
ALPHA = 0.01
SIZES = (2, 8, 64, 256)  # numbers of experts N at which the balance loss is computed
SEARCHED = (2, 4, 8)  # and at which its minimum is searched for

ARITHMETIC = [
    Claim(
        key="SW21-07",
        says="The balance loss is alpha when routing is uniform, whatever the number of experts N, "
        "and alpha * N when it has collapsed",
        source="Section 2.2, equations 4 to 6",
        paper_values={"uniform": "alpha", "alpha": ALPHA},
        test=Exact(
            arm="balance_loss",
            metric=f"uniform/value@{SIZES[0]}",
            unit="",
            equals={f"uniform/value@{n}": ALPHA for n in SIZES}
            | {f"uniform/gradient@{n}": 0.0 for n in SIZES}
            | {f"collapsed/value@{n}": ALPHA * n for n in SIZES}
            | {f"collapsed/gradient@{n}": ALPHA * n for n in SIZES},
        ),
        matched_on=None,
        seeds=1,
        level="arithmetic",
    ),
    Claim(
        key="SW21-20",
        says="Uniform routing minimises the balance loss: no routing has N * sum f_i P_i below 1",
        source="Section 2.2, below equation 6",
        paper_values={"minimum": 1.0},
        test=Exact(
            arm="balance_minimum",
            metric=f"minimum@{SEARCHED[-1]}",
            unit="",
            at_least={f"minimum@{n}": 1.0 for n in SEARCHED},
        ),
        matched_on=None,
        seeds=1,
        level="arithmetic",
    ),
]
CLAIMS = sorted(
    [*ARITHMETIC, *ROUTING, *SCALING, *CONTROLS, *UNTESTED], key=lambda claim: claim.key
)
