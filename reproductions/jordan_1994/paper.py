"""What Jordan and Jacobs 1994 claim about hierarchical mixtures.

The arms are functions in hierarchical.py, each of which trains ten seeds, 1000 to 1009. Step sizes
were chosen with seed 0, which is not judged. An epoch is one pass through the training set.

Source: Jordan and Jacobs 1994, "Hierarchical mixtures of experts and the EM algorithm", Neural
Computation 6, 181-214.
"""

from moebench.papers.claim import Claim, Paper
from reproductions.jordan_1994.judging import OrderAndClosest, SoonerAndAsGood

PAPER = Paper(
    key="jordan_1994",
    name="hierarchical",
    title="Hierarchical Mixtures of Experts and the EM Algorithm",
    authors="Jordan and Jacobs",
    year=1994,
    arxiv="",
    headline="H94-01",
)
SMALLER = "; here on a simulated arm with two joints instead of four"

CLAIMS = [
    Claim(
        key="H94-01",
        version=2,  # the error also leads: epochs to a larger error say nothing
        says="Trained by EM, hierarchical mixtures reach the error of back-propagation in tens of "
        "epochs instead of thousands" + SMALLER,
        source="Table 1",
        paper_values={
            "back-propagation": {"error": 0.09, "epochs": 5500, "failed": "5 of 10"},
            "algorithm 1": {"error": 0.10, "epochs": 35, "failed": "0 of 10"},
            "algorithm 2": {"error": 0.12, "epochs": 39, "failed": "0 of 10"},
            "linear": {"error": 0.31, "epochs": 1},
        },
        test=SoonerAndAsGood(
            base="backprop_batch",
            arm="hme_em",
            sooner=("hme_least_squares",),  # in the paper algorithm 2 is a third worse
            at_least=20.0,
            refuted_below=5.0,
            worse_by=1.3,
            shown=("linear",),
        ),
        matched_on=None,
        seeds=10,
        uncontrolled="no system is known to be so much faster and equally accurate",
    ),
    Claim(
        key="H94-01n",
        late=True,
        says="A linear model, solved in one pass, reaches the error of back-propagation",
        source="none; a control of H94-01",
        paper_values={},
        test=SoonerAndAsGood(
            base="backprop_batch", arm="linear", at_least=20.0, refuted_below=5.0, worse_by=1.3
        ),
        matched_on=None,
        seeds=10,
        control_of="H94-01",
        expects="no effect",
    ),
    Claim(
        key="H94-02",
        version=2,  # the whole order leads; epochs of runs that still improved are lower bounds
        says="Trained online, the hierarchy needs the fewest epochs, back-propagation more, and "
        "the hierarchy with gradient ascent the most; back-propagation reaches the smallest error"
        + SMALLER,
        source="Table 2",
        paper_values={
            "back-propagation": {"error": 0.08, "epochs": 63},
            "hierarchy, recursive": {"error": 0.12, "epochs": 2},
            "hierarchy, gradient": {"error": 0.15, "epochs": 104},
            "linear": {"error": 0.32, "epochs": 1},
        },
        test=OrderAndClosest(
            ordered=("hme_online", "backprop_online", "hme_gradient"),
            closest="backprop_online",
            shown=("backprop_adam",),
        ),
        matched_on=None,
        seeds=10,
        caution="the order can only be decided by longer runs",
        uncontrolled="a null control without a margin would stay undecided",
    ),
    Claim(
        key="H94-02p",
        late=True,
        says="A linear model, solved in one pass, needs fewer epochs than back-propagation, which "
        "is not linear and reaches a smaller error",
        source="none; a control of H94-02",
        paper_values={},
        test=OrderAndClosest(ordered=("linear", "backprop_online"), closest="backprop_online"),
        matched_on=None,
        seeds=10,
        control_of="H94-02",
        expects="effect",
    ),
]
