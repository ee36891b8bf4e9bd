"""The claims of a paper fit one another and its plan, or are refused before anything is trained."""

from typing import Any

import pytest

from moebench.papers.checks import check
from moebench.papers.claim import Claim
from moebench.papers.plan import Arm, Plan
from moebench.verdict.comparisons import Difference, Equivalence
from moebench.verdict.exact import Exact

ARMS = Plan(
    [Arm("a", []), Arm("b", [])], [], {}, computed={"sums": "m:f"}, sweeps={"grid": "grid.yaml"}
)
TEST = Difference(first="a", second="b", margin=0.1)


def claim(key: str = "X", **changes: Any) -> Claim:
    given = {"says": "", "source": "", "paper_values": {}, "matched_on": None}
    return Claim(**{**given, "key": key, "test": TEST, **changes})


NULL = claim("N", control_of="X", expects="no effect")
POSITIVE = claim("P", control_of="X", expects="effect")


@pytest.mark.parametrize(
    "claims",
    [
        [claim(), NULL, POSITIVE],
        [claim(uncontrolled="No such world.")],
        [claim(uncontrolled="No world with an effect."), NULL],
        [claim(level="arithmetic", test=Exact(arm="sums", equals={"x": 1.0}))],
        [claim(uncontrolled="None.", test=Difference(first="grid/1,2", second="a"))],
        [claim(test=None, because="No data.")],
        [
            claim(),
            NULL,
            claim("P", control_of="X", expects="effect", test=None, because="Waits for runs."),
        ],
    ],
)
def test_complete_claims_are_accepted(claims: list[Claim]) -> None:
    check(claims, ARMS)


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ([claim(level="arithmetic")] * 2, "claim X: another claim of the paper has the same id"),
        (
            [claim(test=Difference(first="a", second="sum"))],
            "claim X: arm=sum: not in the plan; the nearest: sums",
        ),
        ([claim(), NULL], "claim X: has no positive control; say why in `uncontrolled`"),
        ([claim(), POSITIVE], "claim X: has no null control; say why in `uncontrolled`"),
        ([claim()], "claim X: has no positive and no null control; say why in `uncontrolled`"),
        ([claim(ours=True)], "claim X: has no positive and no null control"),
        (
            [claim(level="mechanism-cpu", test=Difference(first="grid/1,2", second="a"))],
            "claim X: has no positive and no null control",
        ),
        (
            [claim(uncontrolled="."), NULL, POSITIVE],
            "claim X: has both controls, so drop `uncontrolled`",
        ),
        ([NULL], "claim N: control_of=X: no claim of this paper"),
        (
            [claim(uncontrolled="."), NULL, claim("M", control_of="N", expects="effect")],
            "claim M: control_of=N: that claim is itself a control",
        ),
        (
            [
                claim(uncontrolled="."),
                claim(
                    "N",
                    control_of="X",
                    expects="no effect",
                    test=Equivalence(first="a", second="b", margin=0.1),
                ),
            ],
            "claim N: control_of=X: judged by Equivalence, the claim by Difference",
        ),
        (
            [
                claim(uncontrolled="."),
                claim(
                    "N",
                    control_of="X",
                    expects="no effect",
                    test=Difference(first="a", second="b", margin=0.2),
                ),
            ],
            "claim N: control_of=X: judged with margin=0.2, the claim with 0.1",
        ),
        (
            [
                claim(uncontrolled="."),
                claim(
                    "N",
                    control_of="X",
                    expects="no effect",
                    test=Difference(first="a", second="b", margin=0.1, metric="route/dropped"),
                ),
            ],
            "claim N: control_of=X: judged with metric=route/dropped, the claim with valid/loss",
        ),
        (
            [
                claim(uncontrolled="."),
                claim(
                    "N",
                    control_of="X",
                    expects="no effect",
                    test=Difference(first="a", second="b", margin=0.1, direction="higher"),
                ),
            ],
            "claim N: control_of=X: judged with direction=higher, the claim with lower",
        ),
        (
            [claim(test=None, because="."), NULL],
            "claim N: control_of=X: judged by Difference, the claim by no test",
        ),
    ],
)
def test_invalid_claims_of_a_paper_are_refused(claims: list[Claim], why: str) -> None:
    with pytest.raises(ValueError, match=why.replace("(", r"\(")):
        check(claims, ARMS)
