"""The opening of a sweep: what won, against which dense models, at what cost, what is open."""

import math
from collections.abc import Sequence

from moebench.report.formatting import digits, duration, listed, plural
from moebench.report.gain import AHEAD, ALONE, BEHIND, OPEN, Gain, costs_told, tally
from moebench.report.sweep.summary import Summary
from moebench.statistics import Interval
from moebench.verdict.marks import footnote

NAMED = 3  # dense models that have a sentence each
UNTOLD = "nothing is known"
ONE_SEED = "nothing is decided, because one seed shows no spread"
UNTUNED = "the dense models were not tuned, which favours the winner"


def opening(summary: Summary) -> list[str]:
    """Return a few sentences."""
    if summary.best is None:
        ended = listed([f"{n} {name.replace('_', ' ')}" for name, n in summary.counts().items()])
        infeasible = any(trial.infeasible for trial in summary.trials)
        lacking = "keeps the constraints" if infeasible else "gave a result"
        return [f"No trial {lacking}: {ended}."]
    sentences = [*_found(summary), _cost(summary), _open(summary)]
    return [sentence for sentence in sentences if sentence]


def gains_of(summary: Summary) -> list[Gain]:
    """Return what the winner gains over every dense baseline."""
    return [
        Gain(
            dense_name(one["dense"]),
            summary.objective,
            _interval(one["difference"]),
            _interval(one["at_equal_time"]),
            summary.minimize,
        )
        for one in summary.against
    ]


def dense_name(arm: str) -> str:
    """Return a dense baseline in words: `dense, equal active FLOPs`."""
    words = arm.replace("dense_", "dense, equal ").replace("_", " ")
    return words.replace("flops", "FLOPs").replace("params", "parameters")


def _found(summary: Summary) -> list[str]:
    """Say what won, and over which dense models."""
    assert summary.best is not None
    point = ", ".join(f"{name} {_short(value)}" for name, value in summary.best.point.items())
    winner = f"Trial {summary.best.number} ({point})"
    won = f"{winner} won out of {plural(len(summary.trials), 'trial')}"
    own = next((row for row in summary.fresh if row["arm"] == summary.best_arm), None)
    if own is None or own.get("mean") is None:
        value = digits(summary.best.value(summary.objective), 4)
        return [
            f"{won}, with {value} in {summary.objective}.",
            "It was not rerun with fresh seeds, and the best of many results flatters the winner.",
        ]
    gains = gains_of(summary)
    if not gains:
        value, seeds = digits(own["mean"], 4), plural(own["n"], "fresh seed")
        return [f"{won} and reached {value} over {seeds}; it has no dense model beside it."]
    tokens = _record([gain.after_tokens for gain in gains])
    time = _record([gain.after_time for gain in gains])
    same = f"At equal tokens and at equal time {tokens}."
    apart = f"At equal tokens {tokens}; at equal time {time}."
    return [f"{won}. {same if tokens == time else apart}", *_against(gains, summary.minimize)]


def _record(standings: Sequence[str]) -> str:
    """Say how many of the dense models the winner beats."""
    count, total = tally(standings), len(standings)
    them = {1: "the dense model", 2: "both dense models"}.get(total, f"all {total} dense models")
    if count[AHEAD] == total:
        return f"it beats {them}"
    if count[BEHIND] == total:
        return f"{them} {'win' if total > 1 else 'wins'}"
    if count[OPEN] == total:
        return f"it is too close to call against {them}"
    if not count:
        return ONE_SEED if ALONE in standings else UNTOLD
    told = [f"beats {count[AHEAD] or 'none'} of {total} dense models"]
    told += [f"loses to {count[BEHIND]}"] if count[BEHIND] else []
    told += [f"is too close to call against {count[OPEN]}"] if count[OPEN] else []
    return f"it {listed(told)}"


def _against(gains: Sequence[Gain], minimize: bool) -> list[str]:
    """Return the differences to each dense model, or to the best of many: a table has all."""
    sign = 1 if minimize else -1
    hardest = max(gains, key=lambda gain: sign * gain.tokens.estimate)
    first = "Against the best of them, " if len(gains) > NAMED else "Against "
    return [
        f"{first}{gain.name}: {gain.told}, over {plural(gain.tokens.n, 'fresh seed')}."
        for gain in (gains if len(gains) <= NAMED else [hardest])
    ]


def _cost(summary: Summary) -> str:
    """Say what the sweep took, and what the winner costs."""
    parts = []
    if summary.runs:
        made = f"{plural(summary.runs, 'run')} and {duration(summary.seconds)} of training"
        parts.append(f"this took {made}")
    if summary.against:
        names = summary.against[0]["ratios"]
        ratios = {cost: [one["ratios"][cost] for one in summary.against] for cost in names}
        dense = "the dense models" if len(summary.against) > 1 else "the dense model"
        parts.append(f"the winner has {costs_told(ratios)} of {dense}")
    told = "; ".join(parts)
    return told and f"{told[0].upper()}{told[1:]}."


def _open(summary: Summary) -> str:
    """Say what is unknown."""
    parts = [UNTUNED] if untuned(summary) else []
    alone = [gain for gain in gains_of(summary) if gain.tokens.n == 1]
    parts += ["one fresh seed shows no spread"] if alone else []
    lost = sum(row["failed"] for row in summary.fresh)
    parts += [f"{plural(lost, 'run')} of the winner or the baselines failed"] if lost else []
    known = ("finished", "pruned", "infeasible", CACHED)
    ended = [n for n in summary.counts().items() if n[0] not in known]
    parts += [f"{plural(n, 'trial')}: {name.replace('_', ' ')}" for name, n in ended]
    parts += ["routing depends on more than the tokens so far"] if footnote(summary.leaks) else []
    return f"Not known: {'; '.join(parts)}." if parts else ""


CACHED = "answered from the cache"


def untuned(summary: Summary) -> bool:
    """Say whether the best of several trials stands beside dense models that were not tuned."""
    dense = [row for row in summary.fresh if row["arm"].startswith("dense_")]
    return len(summary.trials) > 1 and any(row["chosen_from"] == 1 for row in dense)


def _interval(found: Sequence[float | None]) -> Interval:
    """Return an interval as it was before it was written."""
    estimate, low, high, n = found
    ends = (-math.inf if low is None else low, math.inf if high is None else high)
    return Interval(estimate or 0.0, *ends, int(n or 0), "t")


def _short(value: object) -> str:
    """Return a value of the space."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
