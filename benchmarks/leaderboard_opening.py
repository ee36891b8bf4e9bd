"""The opening of the ranking: which model leads, how surely, at what cost, what is open."""

from collections.abc import Sequence

from benchmarks.ranking import DENSE, Place
from moebench.report.formatting import duration, interval, listed, plural

NAMED = 3  # entries that a sentence names


def opening(ranked: Sequence[Place]) -> list[str]:
    """Return a few sentences.

    Args:
        ranked: all entries, in the order of `places`.
    """
    return [*_leader(ranked), _against_dense(ranked), _cost(ranked), *_unranked(ranked)]


def _leader(ranked: Sequence[Place]) -> list[str]:
    """Say which entry leads, and over how many others it does so beyond chance."""
    best, others = ranked[0], [place for place in ranked[1:] if place.first]
    least = f"the lowest validation loss, {interval(best.loss)} nats"
    if best.name == DENSE:
        found = f"The dense model has {least}; no router is below it."
    else:
        gap = f"its difference to the dense model is {interval(best.gap, '+')}"
        found = f"{best.name} has {least}; {gap}."
    if not others:
        return [found]
    close = [place.name for place in others if place.name not in best.beats]
    total, beaten = len(others), len(others) - len(close)
    if not close:
        them = {1: "the only other", 2: "both others"}.get(total, f"all {total} others")
        return [found, f"It beats {them} beyond chance."]
    more = len(close) - NAMED
    named = listed([*close[:NAMED], f"{more} more"] if more > 0 else close)
    them = f"{beaten} of the {total} others" if beaten else "no other"
    return [found, f"It beats {them} beyond chance; {named} may be as good."]


def _against_dense(ranked: Sequence[Place]) -> str:
    """Say how many routers are ahead of the dense model, and how many behind."""
    dense = next(place for place in ranked if place.name == DENSE)
    routers = [place for place in ranked if place.first and place is not dense]
    ahead = sum(DENSE in place.beats for place in routers)
    behind = sum(place.name in dense.beats for place in routers)
    close = len(routers) - ahead - behind
    return (
        f"Of {plural(len(routers), 'router')} with as many FLOPs as the dense model, {ahead} "
        f"{'beats' if ahead == 1 else 'beat'} it, {behind} {'loses' if behind == 1 else 'lose'} "
        f"and {close} {'is' if close == 1 else 'are'} too close to call."
    )


def _cost(ranked: Sequence[Place]) -> str:
    """Say what the ranking took."""
    runs = [run for place in ranked for run in place.runs]
    steps = listed([str(number) for number in sorted({run.steps for run in runs})])
    seconds = duration(sum(run.seconds for run in runs))
    return (
        f"This took {plural(len(runs), 'run')} of {steps} steps and {seconds} of training, after a "
        "search of equally many points for each model; the ranking applies at this scale."
    )


def _unranked(ranked: Sequence[Place]) -> list[str]:
    """Say which entries have no rank, if any, and why."""
    lost = [place.name for place in ranked if not place.runs]
    unequal = [place.name for place in ranked if place.runs and not place.first]
    told = [f"{listed(unequal)}, which differ from the dense model in FLOPs"] if unequal else []
    told += [f"{listed(lost)}, of which no run finished"] if lost else []
    return [f"Not ranked: {'; '.join(told)}."] if told else []
