"""Data frames of nothing have the columns that one asks them for."""

from moebench.api.frames import fresh_frame, record_frame, trial_frame, verdict_frame
from moebench.report.sweep.summary import Summary

NOTHING = {
    **{"name": "s", "objectives": {"valid/loss": "minimize"}, "sampler": "", "pruner": ""},
    **{"surface": [], "publishable": False, "space": {}, "seeds": 1, "best": None},
    **{"fresh": [], "baselines": {}, "importances": {}, "trials": []},
}


def test_a_sweep_without_trials() -> None:
    found = Summary(NOTHING)
    assert trial_frame(found).index.name == "trial"
    assert trial_frame(found)["status"].empty
    assert fresh_frame(found)["arm"].empty


def test_no_records_and_no_verdicts() -> None:
    assert record_frame([])["arm"].empty
    assert verdict_frame([])["verdict"].empty
