"""The claims of the accounts, judged in worlds made for them."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from moebench.evidence.record import RunRecord
from moebench.papers.claim import NOT_JUDGED, VerdictLabel
from moebench.testing.verdicts import run, verdict_of
from moebench.verdict import Verdict, judge
from reproductions.jacobs_1991.arms import SAME
from reproductions.jacobs_1991.testing import at_steps
from reproductions.source_notes.judging import ExplainsMore
from reproductions.source_notes.paper import CLAIMS, SENSITIVITY, WORLDS

CLAIM = {claim.key: claim for claim in CLAIMS}
OF_1991 = "jacobs_1991"
TRAINED = {"reached": 1.0, "epochs": 1000.0, "accuracy/test": 0.9, "accuracy/train": 0.9}
SAMPLE = np.random.default_rng(1).standard_normal((8, 25))  # a row an arm


def shares(**means: float) -> list[RunRecord]:
    """Five studies whose shares lie around the means."""
    rng = np.random.default_rng(1)
    return [
        run(
            SENSITIVITY,
            seed,
            metrics={
                f"share/{name.replace('_', ' ')}": mean + 0.01 * rng.standard_normal()
                for name, mean in means.items()
            },
        )
        for seed in range(5)
    ]


@pytest.mark.parametrize(
    ("weight", "temperature", "factor", "word"),
    [
        (0.4, 0.3, 0.2, VerdictLabel.REPRODUCED),
        (0.4, 0.3, 0.02, VerdictLabel.NOT_REPRODUCED),  # each is claimed
        (0.02, 0.3, 0.4, VerdictLabel.NOT_REPRODUCED),
        (0.1, 0.3, 0.4, VerdictLabel.INCONCLUSIVE),
    ],
)
def test_shares(weight: float, temperature: float, factor: float, word: VerdictLabel) -> None:
    records = shares(
        balance_weight=weight, temperature=temperature, capacity_factor=factor, learning_rate=0.1
    )
    assert verdict_of(CLAIM["N5-04s"], records).verdict is word


DEAR, FREE = (3.1, 3.0, 3.0, 3.0, 3.1), (3.1, 3.0, 3.0, 3.0, 2.9)  # what balance costs


@pytest.mark.parametrize(
    ("losses", "word"),
    [
        ((DEAR, DEAR), VerdictLabel.REPRODUCED),
        ((DEAR, FREE), VerdictLabel.PARTIAL),
        ((FREE, DEAR), VerdictLabel.PARTIAL),
        ((FREE, FREE), VerdictLabel.NOT_REPRODUCED),
    ],
)
def test_balance_may_cost_something_in_some_worlds(
    losses: Sequence[Sequence[float]], word: VerdictLabel
) -> None:
    records = [
        run(arm, seed, loss + 0.0005 * sign, metrics={"route/max_violation": 5.0 - place})
        for arms, of_world in zip(WORLDS.values(), losses, strict=True)
        for place, (arm, loss) in enumerate(zip(arms, of_world, strict=True))
        for seed in range(5)
        for sign in [(-1) ** (seed + place)]
    ]
    assert verdict_of(CLAIM["N5-02"], records).verdict is word


def test_what_the_account_leaves_open_is_not_judged() -> None:
    found = verdict_of(CLAIM["N5-04"], shares(learning_rate=0.5))
    assert found.verdict is VerdictLabel.NOT_TESTABLE


def test_a_study_without_settings_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to compare with"):
        ExplainsMore(study="x", metric="share/rate", shares=())


def of_1991(metric: str, means: Mapping[str, float], spread: float) -> list[RunRecord]:
    """Return 25 judged runs an arm, and three more that choose the step of nets and mixtures."""
    found = []
    for place, (arm, mean) in enumerate(means.items()):
        for seed in range(28):
            value = mean + spread * (SAMPLE[place, seed] if seed < 25 else 0.0)
            metrics = {**at_steps([SAME], TRAINED), metric: value}
            found.append(run(arm, 1000 + seed, metrics=metrics, target=OF_1991))
    return found


def verdict(key: str, records: Sequence[RunRecord]) -> Verdict:
    [found] = judge([CLAIM[key]], [], "full", {OF_1991: records})
    return found


@pytest.mark.parametrize(
    ("correlation", "word"),
    [
        (-0.6, VerdictLabel.REPRODUCED),
        (-0.09, VerdictLabel.NOT_REPRODUCED),
        (0.4, VerdictLabel.NOT_REPRODUCED),
    ],
)
def test_a_correlation_must_be_of_a_size_that_counts(
    correlation: float, word: VerdictLabel
) -> None:
    records = of_1991("rank_correlation", {"ambiguity": correlation}, 0.01)
    assert verdict("N1-05", records[:25]).verdict is word


@pytest.mark.parametrize(
    ("mixture", "net", "word"),
    [
        (0.01, 0.15, VerdictLabel.REPRODUCED),
        (0.06, 0.15, VerdictLabel.PARTIAL),  # less than the net, but more than three points
        (0.11, 0.15, VerdictLabel.NOT_REPRODUCED),  # a third of the gap that is claimed
        (0.15, 0.15, VerdictLabel.NOT_REPRODUCED),
    ],
)
def test_forgetting(mixture: float, net: float, word: VerdictLabel) -> None:
    means = {"interference_competitive": mixture, "interference_backprop": net}
    records = [one for one in of_1991("drop", means, 0.01) if one.seed < 1025]
    assert verdict("N1-04", records).verdict is word


def test_claims_on_the_runs_of_another_paper_wait_for_them() -> None:
    waiting = verdict("N1-02", [])
    assert waiting.verdict in NOT_JUDGED
    assert "No runs of gradients" in waiting.why
    told = {"further_term/deviation": 10.0}
    found = verdict("N1-02", [run("gradients", metrics=told, target=OF_1991)])
    assert found.verdict is VerdictLabel.NOT_REPRODUCED
