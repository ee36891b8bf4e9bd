"""Controls for the account of the 1991 paper; their answers follow from how the runs were made.

They were chosen after the runs, which are those of the paper's reproduction.
"""

from typing import Any

from moebench.papers.claim import Claim
from reproductions.jacobs_1991.arms import SAME, arm, grouped
from reproductions.jacobs_1991.judging import FewerEpochs, Pair, TwoMeans, WithinBounds
from reproductions.source_notes.judging import LowerAndWithin
from reproductions.source_notes.secondary import (
    FORGETTING,
    LESS,
    MIXTURE,
    NET,
    OVER_NET,
    TRAINED,
    stated,
)

BESIDE = arm(NET), arm(NET)  # an arm with itself: two halves of its runs
ONE = arm("one_expert")  # it never meets the criterion, so it has no best step
HALVES = ", comparing two halves of its runs"
FASTER, SLOWER = 5.0, 2.0  # step sizes so small that epochs are inversely proportional to them
GIVEN: dict[str, Any] = {**TRAINED, "source": "none"}
ACCURACY: dict[str, Any] = {
    "metric": f"step_{SAME:g}/accuracy/test",
    "quantity": "accuracy/test",
    "unit": "accuracy",
}
EPOCHS: dict[str, Any] = {"metric": f"step_{SAME:g}/epochs", "factor": LESS}

CONTROLS_SECONDARY = grouped(
    [
        Claim(
            key="N1-01p",
            late=True,
            says="Four experts are five points more accurate than one, which draws only one line",
            paper_values={},
            control_of="N1-01",
            expects="effect",
            matched_on=None,
            test=TwoMeans(
                under={"coding aligned": (Pair(arm(MIXTURE), ONE, OVER_NET),)},
                rules=(SAME,),
                **ACCURACY,
            ),
            **GIVEN,
        ),
        Claim(
            key="N1-01n",
            late=True,
            says="A net is five points more accurate than itself" + HALVES,
            paper_values={},
            control_of="N1-01",
            expects="no effect",
            matched_on=None,
            test=TwoMeans(under={"coding aligned": (Pair(*BESIDE, OVER_NET),)}, **ACCURACY),
            **{**GIVEN, "seeds": 12},
        ),
        Claim(
            key="N1-01an",
            late=True,
            says="A single expert, which can draw only one line, reaches an accuracy of 91.7%",
            paper_values={},
            control_of="N1-01a",
            expects="no effect",
            matched_on=None,
            test=WithinBounds(under={"coding aligned": (stated(ONE),)}, rules=(SAME,), **ACCURACY),
            **GIVEN,
        ),
        Claim(
            key="N1-01ep",
            late=True,
            says="A net saves 25% of the steps that it needs with a smaller step size",
            paper_values={"ratio": SLOWER / FASTER},
            control_of="N1-01e",
            expects="effect",
            matched_on=None,
            test=FewerEpochs(
                under={"coding aligned": (Pair(*BESIDE),)},
                rules=(FASTER,),
                second_at=SLOWER,
                **EPOCHS,
            ),
            **GIVEN,
        ),
        Claim(
            key="N1-01en",
            late=True,
            says="A net saves 25% of its own steps" + HALVES,
            paper_values={"ratio": 1},
            control_of="N1-01e",
            expects="no effect",
            matched_on=None,
            test=FewerEpochs(under={"coding aligned": (Pair(*BESIDE),)}, rules=(SAME,), **EPOCHS),
            **{**GIVEN, "seeds": 12},
        ),
        Claim(
            key="N1-04n",
            says="If it sees both pairs of vowels all the time, a net forgets more than a "
            "competitive mixture",
            paper_values={},
            control_of="N1-04",
            expects="no effect",
            matched_on=None,
            test=LowerAndWithin(
                first="replayed_competitive", second="replayed_backprop", **FORGETTING
            ),
            **GIVEN,
        ),
    ]
)
