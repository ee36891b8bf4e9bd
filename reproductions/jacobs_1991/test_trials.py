"""Which step and which runs count: trials choose, all others are judged."""

import pytest

from moebench.papers.claim import VerdictLabel
from moebench.testing.verdicts import verdict_of
from reproductions.jacobs_1991.judging import FewerEpochs, Steadier
from reproductions.jacobs_1991.testing import AB, AT_5, AT_BEST, JUDGED, TRIED, runs


def test_a_step_with_a_failed_trial_is_never_best() -> None:
    records = runs("a", {2.0: 400.0, 5.0: 200.0}) + runs("b")
    trial = next(record for record in records if (record.arm, record.seed) == ("a", TRIED[1]))
    trial.metrics["step_5/reached"] = 0.0
    found = verdict_of(FewerEpochs(under=AB, **AT_BEST), records)
    assert found.measured["a"]["best: step"] == 2.0
    assert found.measured["b"]["best: step"] == 5.0


def test_judged_seeds_do_not_choose_and_trials_are_not_judged() -> None:
    records = runs("a") + runs("b", {2.0: 900.0, 5.0: 600.0})
    for record in records:
        if record.seed in JUDGED and record.arm == "a":
            record.metrics["step_5/epochs"] = 700.0
    found = verdict_of(FewerEpochs(under=AB, **AT_BEST), records)
    assert found.measured["a"]["best: step"] == 5.0, "though step 2 takes judged runs fewer epochs"
    assert found.measured["a"]["best: epochs"] == 700.0


def test_runs_that_never_meet_the_criterion_are_left_out_and_named() -> None:
    records = runs("a", lost=2) + runs("b", {5.0: 600.0})
    found = verdict_of(FewerEpochs(under=AB, **AT_5), records, seeds=25)
    assert found.n == 23
    assert "2 of 25 runs of a never met the criterion (step 5)" in found.why
    assert found.preliminary, "23 of 25"


@pytest.mark.parametrize("test", [FewerEpochs(under=AB, **AT_5), Steadier(under=AB, **AT_5)])
def test_a_single_judged_run_decides_nothing(test: FewerEpochs | Steadier) -> None:
    few = [one for one in runs("a") + runs("b") if one.seed in (JUDGED[0], *TRIED)]
    found = verdict_of(test, few)
    assert (found.verdict, found.n) == (VerdictLabel.INCONCLUSIVE, 1)


def test_arms_that_never_meet_the_criterion_decide_nothing() -> None:
    records = runs("a", lost=25) + runs("b")
    assert verdict_of(FewerEpochs(under=AB, **AT_5), records).verdict is VerdictLabel.INCONCLUSIVE
