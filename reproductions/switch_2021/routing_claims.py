"""The claims about where tokens go: choices, capacity, balance, exploration, overflow.

Source: Fedus, Zoph and Shazeer 2021 (arXiv 2101.03961).
"""

from moebench.papers.claim import Claim
from moebench.verdict.comparisons import Difference, Equivalence
from reproductions.switch_2021.judging import BestAndWorst, Crossover, Undisturbed
from reproductions.switch_2021.rows import FewDropped

NO_SECOND = "for no text is the benefit of a second expert per token known in advance"
TOP_2 = (
    "in the paper's order of filling capacity, two experts per token make routing depend on later "
    "tokens, which may help here (README)"
)

ROUTING = [
    Claim(
        key="SW21-01",
        version=2,  # the paper also says it of capacity factor 1.25
        says="With scarce capacity (factors 1.0 and 1.25) one expert per token is better than two; "
        "with ample capacity (2.0) two are better",
        source="Table 1",
        paper_values={
            "top-1": {"1.0": 1.561, "1.25": 1.553, "2.0": 1.554},
            "top-2": {"1.0": 1.572, "1.25": 1.559, "2.0": 1.547},
        },
        test=Crossover(
            first={factor: f"switch_cf{factor}" for factor in (1.0, 1.25, 2.0)},
            second={factor: f"top2_cf{factor}" for factor in (1.0, 1.25, 2.0)},
            ample=2.0,
            margin=0.005,
        ),
        matched_on="steps",
        uncontrolled=NO_SECOND,
        caution=TOP_2,
    ),
    Claim(
        key="SW21-02",
        version=2,  # the paper's "slightly" is not tested
        says="At capacity factor 2.0, two experts per token are better than one",
        source="Table 1",
        paper_values={"top-2": 1.547, "top-1": 1.554},
        test=Difference(first="top2_cf2.0", second="switch_cf2.0", margin=0.005),
        matched_on="steps",
        uncontrolled=NO_SECOND,
        caution=TOP_2,
    ),
    Claim(
        key="SW21-08",
        version=2,  # being within a standard error of the best of five was not a test
        says="A balance weight of 0.01 balances the experts without hurting the loss",
        source="Section 2.2",
        paper_values={"alpha": 0.01, "dropped": "<1%"},
        test=Undisturbed(
            chosen="switch_cf1.25",
            lowest="alpha_0",
            between=("alpha_1e-4", "alpha_1e-3", "alpha_1e-1"),
            highest="alpha_1",
            keeps="route/dropped",
            limit=0.01,
            margin=0.01,
        ),
        matched_on="active_flops",
        uncontrolled="for no text is the cost of a balance weight known in advance; weights of 0 "
        "and 1 are judged as well",
    ),
    Claim(
        key="SW21-09",
        version=2,  # names the arm that drops most, whatever the order of the arms
        says="Under 1% of the tokens are dropped, whatever the number of experts",
        source="Section 2.2",
        paper_values={"dropped": "<1%"},
        test=FewDropped(
            experts={
                "experts_4": 4,
                "switch_cf1.25": 8,
                "experts_16": 16,
                "experts_32": 32,
                "experts_64": 64,
            },
            factor=1.25,
            limit=0.01,
            metric="route/dropped",
            unit="share",
            margin=0.005,
        ),
        matched_on="active_flops",
        uncontrolled="no trained router is known in advance to drop more or less; each arm has the "
        "share dropped by uniformly random routing beside it",
    ),
    Claim(
        key="SW21-14",
        version=2,  # version 1 had turned "jitter is best" into "as good as argmax"
        says="Input jitter is the best exploration rule, though only slightly better than argmax; "
        "sampling the expert is the worst",
        source="Appendix C",
        paper_values={"jitter": 1.468, "argmax": 1.471, "dropout": 1.48, "sample": 1.57},
        test=BestAndWorst(
            best="switch_cf1.25",
            second="explore_argmax",
            others=("explore_dropout",),
            worst="explore_sample",
            margin=0.01,
        ),
        matched_on="active_flops",
        seeds=10,
        uncontrolled="for no text is the cost of exploration known in advance",
    ),
    Claim(
        key="SW21-15",
        says="Rerouting overflowing tokens to their next expert brings no gain",
        source="Appendix B",
        paper_values={"gain": "none"},
        test=Equivalence(
            first="reroute_cf1.0",
            second="switch_cf1.0",
            relative=True,
            unit="share of the loss",
            margin=0.005,
        ),
        matched_on="steps",
        seeds=10,
        uncontrolled="for no text is the cost of a dropped token known in advance",
    ),
]
