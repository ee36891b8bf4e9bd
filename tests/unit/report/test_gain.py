"""First words on mixtures against dense models: of a comparison, of a sweep; and their figure."""

import math
from typing import Any

import pytest

from moebench.comparison import Comparison, compare
from moebench.evidence.record import RunRecord
from moebench.report.comparison.opening import opening as of_comparison
from moebench.report.gain import AHEAD, ALONE, BEHIND, OPEN, UNKNOWN, Gain
from moebench.report.gain_figure import gain_figure
from moebench.report.sweep.opening import opening as of_sweep
from moebench.report.sweep.summary import Summary
from moebench.statistics import Interval
from moebench.testing.verdicts import run
from moebench.tracking import Logged

from .fakes import smallest_text


def interval(estimate: float, n: int = 3, half: float = 0.1) -> Interval:
    ends = (estimate - half, estimate + half) if n > 1 else (-math.inf, math.inf)
    return Interval(estimate, *ends, n, "t")


@pytest.mark.parametrize(
    ("found", "less", "stands"),
    [
        (interval(-0.2), True, AHEAD),
        (interval(-0.2), False, BEHIND),
        (interval(0.2), True, BEHIND),
        (interval(0.2), False, AHEAD),
        (interval(0.05), True, OPEN),
        (interval(-9.0, n=1), True, ALONE),
        (interval(0.0, n=0), True, UNKNOWN),
    ],
)
def test_where_a_mixture_stands(found: Interval, less: bool, stands: str) -> None:
    assert Gain("x", "valid/loss", found, found, less).after_tokens == stands


def test_the_figure_has_both_axes_and_leaves_out_what_is_not_known() -> None:
    gains = [
        Gain("a\nagainst b", "valid/loss", interval(-0.2), interval(0.3)),
        Gain("c\nagainst d", "valid/loss", interval(-0.1, n=1), interval(0.0, n=0)),
    ]
    drawn = gain_figure(gains, "these")
    told = drawn.partition('aria-label="')[2].partition('"')[0]
    assert "a against b -0.2 at equal tokens, 0.3 at equal time" in told
    assert told.endswith("c against d -0.1 at equal tokens")
    assert drawn.count(">valid/loss (nats)<") == 2
    assert smallest_text(drawn) >= 10


def logged(*losses: tuple[str, float, float], seeds: int = 3, **changes: Any) -> list[Logged]:
    """Runs of arms, each with its final loss and its pace; curves fall straight from 5."""
    found = []
    for arm, loss, pace in losses:
        for seed in range(seeds):
            end = loss + 0.01 * seed * (1 if arm == "dense" else 2)
            curve = {f"valid/loss@{step}": 5 + (end - 5) * step / 10 for step in (1, 5, 10)}
            dense = arm.startswith("dense")
            routed = {} if dense else {"route/dropped": 0.0}
            one: RunRecord = run(
                arm,
                seed,
                end,
                tokens_per_second=pace,
                params_total=40 if dense else 80,
                params_active=40,
                seconds=10.0,
                metrics={**curve, **routed},
                **changes,
            )
            found.append(Logged(one, 0.0, {}, {}))
    return found


def test_a_comparison_says_who_wins_on_both_axes_and_what_it_costs() -> None:
    found = of_comparison(compare(logged(("dense", 3.0, 10.0), ("sparse", 2.5, 5.0))))
    assert found[0] == (
        "With equal FLOPs a token, at equal tokens the mixture wins the only pair; "
        "at equal time the dense model wins the only pair."
    )
    assert found[1].startswith(
        "sparse against dense, −0.490 [−0.515, −0.465] in valid/loss at equal"
    )
    assert found[1].endswith("at equal time, over 3 seeds.")
    assert found[2] == (
        "The mixture has 1.0 times the FLOPs a token, 2.0 times the parameters and 2.0 times the "
        "time a step of its dense model."
    )
    assert found[3:] == ["This rests on 6 runs and 60 s of training."]


def test_a_comparison_that_dense_models_win_says_so() -> None:
    runs = logged(("dense", 2.0, 10.0), ("a", 2.5, 5.0), ("b", 2.6, 5.0))
    [first, best, *_] = of_comparison(compare(runs))
    assert first == (
        "With equal FLOPs a token, at equal tokens and at equal time, the dense model wins "
        "both pairs."
    )
    assert best.startswith("The smallest deficit: a against dense, +0.51")
    told = " ".join(of_comparison(compare(runs)))
    assert "9 runs and 90 s" in told, "the runs of a dense model in several pairs count once"


def test_a_comparison_of_one_seed_decides_nothing() -> None:
    told = " ".join(of_comparison(compare(logged(("dense", 3.0, 10.0), ("a", 2.0, 10.0), seeds=1))))
    assert "nothing is decided, because one seed shows no spread" in told
    assert "Not known: the spread between seeds in 1 pair of one seed." in told


def test_a_comparison_without_pairs_says_so() -> None:
    runs = logged(("a", 2.0, 10.0))
    assert of_comparison(compare(runs)) == [
        "No mixture could be compared with a dense model of equal cost; 1 arm not compared with "
        "every dense model, for reasons given below."
    ]
    assert of_comparison(Comparison("valid/loss", {}, [])) == [
        "No mixture could be compared with a dense model of equal cost."
    ]


def summary(against: list[dict[str, Any]], **changes: Any) -> Summary:
    """A sweep of two trials whose second is the best."""
    trials = [
        {
            "number": n,
            "point": {"factor": 1.5 + n},
            "status": "finished",
            "why": "",
            "cached_from": None,
            "values": {"valid/loss": 3.0 - n},
        }
        for n in range(2)
    ]
    fresh = [{"arm": "trial_1", "mean": 2.1, "n": 3, "failed": 0, "chosen_from": 2, "costs": {}}]
    fresh += [{**fresh[0], "arm": one["dense"], "chosen_from": 5} for one in against]
    content = {
        "name": "s",
        "objectives": {"valid/loss": "minimize"},
        "sampler": "GridSampler",
        "pruner": "NopPruner",
        "surface": [],
        "publishable": True,
        "space": {"factor": {"key": "f", "values": [], "log": False}},
        "seeds": 1,
        "best": 1,
        "trials": trials,
        "baselines": {},
        "fresh": fresh,
        "importances": {},
        "against": against,
        "runs": 11,
        "seconds": 90.0,
        **changes,
    }
    return Summary(content)


def against(dense: str, tokens: float, time: float | None, n: int = 3) -> dict[str, Any]:
    """The winner minus a dense model, give or take 0.1."""

    def plain(value: float | None) -> list[float | None]:
        if value is None:
            return [None, None, None, 0]
        return [value, value - 0.1, value + 0.1, n] if n > 1 else [value, None, None, n]

    ratios = {"flops_per_token": 1.0, "params_total": 4.0, "seconds_per_step": 2.0}
    return {
        "dense": dense,
        "difference": plain(tokens),
        "at_equal_time": plain(time),
        "ratios": ratios,
    }


def test_a_sweep_names_its_winner_against_every_dense_model() -> None:
    both = [against("dense_active_flops", -0.3, 0.05), against("dense_step_time", 0.2, 0.2)]
    assert of_sweep(summary(both)) == [
        "Trial 1 (factor 2.5) won out of 2 trials. At equal tokens it beats 1 of 2 dense "
        "models and loses to 1; at equal time it beats none of 2 dense models, loses to 1 and is "
        "too close to call against 1.",
        "Against dense, equal active FLOPs: −0.30 [−0.40, −0.20] in valid/loss at equal "
        "tokens and +0.05 [−0.05, +0.15] at equal time, over 3 fresh seeds.",
        "Against dense, equal step time: +0.20 [+0.10, +0.30] in valid/loss at equal tokens "
        "and +0.20 [+0.10, +0.30] at equal time, over 3 fresh seeds.",
        "This took 11 runs and 90 s of training; the winner has 1.0 times the FLOPs a token, 4.0 "
        "times the parameters and 2.0 times the time a step of the dense models.",
    ]


def test_a_sweep_that_all_dense_models_win_says_so() -> None:
    names = ("active_flops", "total_params", "step_time", "step_time_tuned")
    [first, hardest, *_] = of_sweep(
        summary([against(f"dense_{name}", 0.2 + n, 0.3) for n, name in enumerate(names)])
    )
    assert first.endswith("At equal tokens and at equal time all 4 dense models win.")
    assert hardest.startswith("Against the best of them, dense, equal step time tuned: +3.20")


def test_more_may_be_better() -> None:
    more = summary([against("dense_step_time", 0.3, None)], objectives={"valid/loss": "maximize"})
    assert "At equal tokens it beats the dense model; at equal time nothing" in " ".join(
        of_sweep(more)
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (summary([against("dense_x", -0.3, -0.3, n=1)]), "one fresh seed shows no spread"),
        (summary([], fresh=[]), "was not rerun with fresh seeds, and the best of many results"),
        (summary([]), "and reached 2.100 over 3 fresh seeds; it has no dense model beside it."),
        (summary([], best=None), "No trial gave a result: 2 finished."),
    ],
)
def test_what_a_sweep_does_not_show_is_said(given: Summary, said: str) -> None:
    assert said in " ".join(of_sweep(given))


def test_a_sweep_whose_trials_break_the_constraints_says_so() -> None:
    kept = summary([], best=None).trials
    over = [{**vars(trial), "infeasible": ["route/dropped"]} for trial in kept]
    assert of_sweep(summary([], best=None, trials=over)) == [
        "No trial keeps the constraints: 2 finished and 2 infeasible."
    ]
