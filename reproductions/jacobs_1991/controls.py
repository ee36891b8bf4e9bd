"""What we added to the claims of the paper: controls, and a claim over orders of the speakers.

Controls were chosen after the runs of the claims and are judged by runs that these have anyway, so
each has an answer that follows from how its runs were made.
"""

from reproductions.jacobs_1991.arms import IN_ORDERS, ORDERS, SAME, arm, trained
from reproductions.jacobs_1991.judging import (
    FewerEpochs,
    FewerEpochsOverOrders,
    Pair,
    SameAccuracy,
    Steadier,
    TwoMeans,
)

NO_NULL = "no null control: without a margin it would stay undecided"
NO_MARGIN = f"{NO_NULL}; the positive control of J91-01 is by the same test"
HALVES = "; one system against itself, in two halves of its runs"
FASTER, SLOWER = 5.0, 2.0  # steps so small that epochs are inversely proportional to them
NET, MIXTURE = arm("backprop_6"), arm("four_experts")
WITH_ITSELF = {"aligned, range 0.5": (Pair(NET, NET),)}

CONTROLS = [
    trained(
        key="J91-01p",
        says="A net needs fewer epochs with a small step than with a smaller one",
        source="known beforehand",
        paper_values={"ratio": SLOWER / FASTER},
        control_of="J91-01",
        expects="effect",
        test=FewerEpochs(under=WITH_ITSELF, rules=(FASTER,), second_at=SLOWER, factor=0.75),
        matched_on="total_params",
    ),
    trained(
        key="J91-01n",
        says="A net needs fewer epochs than itself" + HALVES,
        source="known beforehand",
        paper_values={"ratio": 1},
        control_of="J91-01",
        expects="no effect",
        test=FewerEpochs(under=WITH_ITSELF, rules=(SAME,), factor=0.75),
        matched_on="total_params",
        seeds=12,
    ),
    trained(
        key="J91-02p",
        says="A net ends as accurate as itself" + HALVES,
        source="known beforehand",
        paper_values={},
        control_of="J91-02",
        expects="effect",
        test=SameAccuracy(
            under={"aligned": (NET, NET)},
            rules=(SAME,),
            margin=0.03,
            low=0.85,
            high=0.95,
            metric=f"step_{SAME:g}/accuracy/test",
        ),
        matched_on=None,
        seeds=12,
    ),
    trained(
        key="J91-02n",
        says="One expert, which can draw one line only, ends as accurate as four",
        source="known beforehand",
        paper_values={},
        control_of="J91-02",
        expects="no effect",
        test=SameAccuracy(
            under={"aligned": (arm("one_expert"), MIXTURE)},
            rules=(SAME,),
            margin=0.03,
            low=0.85,
            high=0.95,
            metric=f"step_{SAME:g}/accuracy/test",
        ),
        matched_on=None,
    ),
    trained(
        key="J91-03p",
        version=2,  # judged by the test of its claim
        says="The epochs of a net vary less with a small step than with a smaller one",
        source="known beforehand",
        paper_values={"ratio": SLOWER / FASTER},
        control_of="J91-03",
        expects="effect",
        test=Steadier(under=WITH_ITSELF, rules=(FASTER,), second_at=SLOWER),
        matched_on="total_params",
    ),
    trained(
        key="J91-11n",
        says="A mixture leaves more experts in use for each case than itself" + HALVES,
        source="known beforehand",
        paper_values={"difference": 0},
        control_of="J91-11",
        expects="no effect",
        test=TwoMeans(
            quantity="effective",
            direction="higher",
            margin=1.0,
            under={"aligned, range 0.5": (Pair(MIXTURE, MIXTURE),)},
            metric=f"step_{SAME:g}/effective",
            unit="experts a case",
        ),
        matched_on="total_params",
        seeds=12,
    ),
]
OURS = [
    trained(
        key="J91-01o",
        says="Four experts need about half the epochs of six hidden units, over orders of the "
        "speakers",
        source="not in the paper",
        paper_values={},
        ours=True,
        test=FewerEpochsOverOrders(systems=IN_ORDERS, factor=0.75),
        matched_on="total_params",
        seeds=ORDERS,
        replicate="speaker order",
        caution="run with one coding, one range and one step",
        uncontrolled="the test is that of J91-01 on other runs, and its controls serve",
    )
]
