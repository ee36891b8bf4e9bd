"""Switch Transformers: the paper and its claims, including those that are arithmetic.

plan.py defines the arms. Losses are in nats per token; lower is better. The paper gives their
negatives. Margins are the smallest effects that count: 0.01 nats, or 0.005 if the paper's effects
are below 0.01.

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
    headline="SW21-03",
)
# Arms that are computed, not trained: name -> "module:function", which returns the metrics.
COMPUTED = {
    "balance_loss": "reproductions.switch_2021.arithmetic:balance_loss",
    "balance_minimum": "reproductions.switch_2021.arithmetic:balance_minimum",
}
ALPHA = 0.01
SIZES = (2, 8, 64, 256)  # numbers of experts N for which the balance loss is computed
SEARCHED = (2, 4, 8)  # numbers of experts for which its minimum is searched

ARITHMETIC = [
    Claim(
        key="SW21-07",
        says="The balance loss is alpha when routing is uniform, for any number of experts N, and "
        "alpha * N when routing has collapsed",
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
        says="Uniform routing minimises the balance loss: N * sum f_i P_i is never below 1",
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
