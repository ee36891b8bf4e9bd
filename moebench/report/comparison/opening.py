"""The opening of a comparison: who is ahead, by how much, at what cost, and what is unknown."""

from collections.abc import Sequence

from moebench.comparison import EQUAL, Comparison, Pair
from moebench.report.formatting import duration, plural
from moebench.report.gain import (
    AHEAD,
    ALONE,
    BEHIND,
    COSTS,
    OPEN,
    UNKNOWN,
    Gain,
    costs_told,
    tally,
)
from moebench.verdict.planned import TIME

UNTOLD = "nothing is known"
ONE_SEED = "nothing is decided, because one seed shows no spread"


def gain_of(pair: Pair, metric: str) -> Gain:
    """Return what the mixture of a pair gains."""
    name = f"{pair.mixture.arm}\nagainst {pair.dense.arm}"
    return Gain(name, metric, pair.difference, pair.difference_at_equal_time)


def opening(comparison: Comparison) -> list[str]:
    """Return a few sentences."""
    pairs = [pair for of in comparison.groups.values() for pair in of]
    arms = len({(one.target, one.profile, one.arm) for one in comparison.refusals})
    refused = f"{plural(arms, 'arm')} not compared with every dense model, for reasons given below"
    if not pairs:
        why = f"; {refused}" if arms else ""
        return [f"No mixture could be compared with a dense model of equal cost{why}."]
    gains = [gain_of(pair, comparison.metric) for pair in pairs]
    found = [*_who(pairs, comparison.metric), _best(pairs, comparison.metric)]
    found += [_cost(pairs), _made(pairs)]
    unknown = [*_open(gains), *([refused] if arms else [])]
    return [*filter(None, found), *([f"Not known: {'; '.join(unknown)}."] if unknown else [])]


def _who(pairs: Sequence[Pair], metric: str) -> list[str]:
    """Say who is ahead on both axes, for each cost that is equal."""
    by_cost: dict[str, list[Gain]] = {}
    for pair in pairs:
        by_cost.setdefault(pair.equal[0], []).append(gain_of(pair, metric))
    return [_standing(COSTS[cost], by_cost[cost]) for cost in EQUAL if cost in by_cost]


def _standing(cost: str, gains: Sequence[Gain]) -> str:
    """Say who is ahead in pairs with one cost equal."""
    tokens, time = (
        _score([getattr(gain, side) for gain in gains]) for side in ("after_tokens", "after_time")
    )
    if tokens == time:
        return f"With equal {cost}, at equal tokens and at equal time, {tokens}."
    return f"With equal {cost}, at equal tokens {tokens}; at equal time {time}."


def _score(standings: Sequence[str]) -> str:
    """Say how many pairs each side wins."""
    count, total = tally(standings), len(standings)
    pairs = {1: "the only pair", 2: "both pairs"}.get(total, f"all {total} pairs")
    if count[AHEAD] == total:
        return f"the mixture wins {pairs}"
    if count[BEHIND] == total:
        return f"the dense model wins {pairs}"
    if count[OPEN] == total:
        return f"{pairs} {'are' if total > 1 else 'is'} too close to call"
    if not count:
        return ONE_SEED if ALONE in standings else UNTOLD
    told = f"the mixture wins {count[AHEAD]} of {plural(count.total(), 'pair')}"
    told += f" and the dense model {count[BEHIND]}" if count[BEHIND] else ""
    close = f", while {count[OPEN]} {'are' if count[OPEN] > 1 else 'is'} too close to call"
    return told + (close if count[OPEN] else "")


def _best(pairs: Sequence[Pair], metric: str) -> str:
    """Name the mixture with the largest gain, and the gain."""
    best = max(pairs, key=lambda pair: pair.gain)
    over = f"{best.mixture.arm} against {best.dense.arm}"
    many = len({(pair.target, pair.profile) for pair in pairs}) > 1
    where = f" ({best.target} {best.profile})" if many else ""
    least = "largest gain" if best.gain > 0 else "smallest deficit"
    first = f"The {least}: " if len(pairs) > 1 else ""
    seeds = plural(best.difference.n, "seed")
    return f"{first}{over}{where}, {gain_of(best, metric).told}, over {seeds}."


def _cost(pairs: Sequence[Pair]) -> str:
    """Return how many times the costs of its dense model a mixture has."""
    timed = [cost for cost in EQUAL if cost != TIME or any(pair.times_compare for pair in pairs)]
    ratios = {cost: [pair.ratios[cost] for pair in pairs if cost in pair.ratios] for cost in timed}
    told = costs_told({cost: values for cost, values in ratios.items() if values})
    if not told:
        return ""
    if len(pairs) > 1:
        return f"The mixtures have {told} of their dense models."
    return f"The mixture has {told} of its dense model."


def _made(pairs: Sequence[Pair]) -> str:
    """Say how much was trained for it."""
    seconds = {
        (pair.target, pair.profile, side.arm, seed): run.seconds
        for pair in pairs
        for side in (pair.mixture, pair.dense)
        for seed, run in side.runs.items()
    }
    took = duration(sum(seconds.values()))
    return f"This rests on {plural(len(seconds), 'run')} and {took} of training."


def _open(gains: Sequence[Gain]) -> list[str]:
    """Return what the pairs do not show."""
    untimed = sum(gain.after_time == UNKNOWN for gain in gains)
    alone = sum(gain.after_tokens == ALONE for gain in gains)
    told = {
        f"equal time in {plural(untimed, 'pair')} without a common machine or a curve": untimed,
        f"the spread between seeds in {plural(alone, 'pair')} of one seed": alone,
    }
    return [what for what, count in told.items() if count]
