"""The ranking of routers: from records to a table in README.md."""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from moebench.cli.provenance import outdated_of
from moebench.comparison import EQUAL
from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import read, write_all
from moebench.report import fill, formatting
from moebench.report import tables as columns
from moebench.report.paper.markdown import table
from moebench.statistics import Interval, Values, holm
from moebench.statistics.estimates import mean
from moebench.verdict.conditions import LEVEL
from moebench.verdict.mixed_evidence import mixed_arm, mixed_code, mixed_data
from moebench.verdict.paired_runs import paired

RECORDS = Path(__file__).parent / "quality.jsonl"
PAGE = Path(__file__).parent / "README.md"
TEXT = "moebench.data.text.Text"
LOSS, FLOPS = "valid/loss", "flops_per_token"
HEAD = ("rank", "router", "validation loss", "less dense", "n", "parameters", "FLOPs a token")
Runs = Mapping[str, Sequence[RunRecord]]  # entry -> its runs with fresh seeds


@dataclass(frozen=True)
class Place:
    """One row: an entry with its rank, a range of ranks, or no rank."""

    name: str
    runs: Sequence[RunRecord]  # finished ones
    loss: Interval
    gap: Interval  # to the dense model, paired by seed
    rank: str


def places(runs: Runs) -> list[Place]:
    """Return the entries, the lowest mean loss first, those without a rank last.

    An entry ranks before another if their difference, paired by seed, is significant among all such
    differences (Student's t, Holm's method at 5%). The numbers of entries before and after it leave
    a rank or a range of ranks. Entries without a finished run have no rank, nor do entries whose
    trained models differ from the dense one in FLOPs.

    Raises:
        ValueError: if the dense model has no finished run, or runs are mixed.
    """
    done = {name: [run for run in of if run.status == "finished"] for name, of in runs.items()}
    if not done["dense"]:
        raise ValueError("dense: no run finished")
    for name, of in done.items():
        if why := mixed_arm(of) or mixed_data(of, done["dense"]):
            raise ValueError(f"{name}: not ranked with the dense model: {why}")
    if why := mixed_code(run for of in done.values() for run in of):
        raise ValueError(f"not ranked together: {why}")
    losses = {name: {run.seed: run.metrics[LOSS] for run in of} for name, of in done.items()}
    ranks = _ranks({name: losses[name] for name, of in done.items() if _equal(of, done["dense"])})
    found = [
        Place(
            name=name,
            runs=of,
            loss=mean(np.array(list(losses[name].values()))).interval,
            gap=mean(_difference(losses[name], losses["dense"])).interval,
            rank=ranks.get(name, "–"),
        )
        for name, of in done.items()
    ]
    return sorted(found, key=lambda p: (p.name not in ranks, not p.runs, p.loss.estimate))


def _equal(ours: Sequence[RunRecord], dense: Sequence[RunRecord]) -> bool:
    """Say whether there are runs and they cost the same as those of the dense model."""
    return bool(ours) and abs(_mean(ours, FLOPS) / _mean(dense, FLOPS) - 1) <= EQUAL[FLOPS]


def _ranks(losses: Mapping[str, Mapping[int, float]]) -> dict[str, str]:
    """Return entry -> its rank, or the range of ranks compatible with its differences to others."""
    pairs = list(itertools.combinations(losses, 2))
    differences = [_difference(losses[one], losses[other]) for one, other in pairs]
    clear = [p < LEVEL for p in holm([_chance(values) for values in differences])]
    before, behind = Counter[str](), Counter[str]()
    for (one, other), values, known in zip(pairs, differences, clear, strict=True):
        if known:
            better, worse = (one, other) if values.mean() < 0 else (other, one)
            before[worse] += 1
            behind[better] += 1
    ends = {name: (1 + before[name], len(losses) - behind[name]) for name in losses}
    return {
        name: str(first) if first == last else f"{first} to {last}"
        for name, (first, last) in ends.items()
    }


def _difference(one: Mapping[int, float], other: Mapping[int, float]) -> Values:
    """Return the differences over the common seeds."""
    ours, theirs = paired(one, other)
    return np.asarray(ours - theirs)


def _chance(values: Values) -> float:
    """Return the two-sided p of the hypothesis of no difference."""
    found = mean(values)
    return min(1.0, 2 * found.p_at_most(0.0), 2 * found.p_at_least(0.0))


def rows(runs: Runs) -> list[tuple[str, ...]]:
    """Return the cells of the table, by `HEAD`."""
    ranked = places(runs)
    dense = next(place for place in ranked if place.name == "dense")
    found = []
    for place in ranked:
        row = [place.rank, place.name]
        if place.runs:
            row += [
                _shown(place.loss, "-"),
                "" if place is dense else _shown(place.gap, "+"),
                str(place.loss.n),
                formatting.scaled(_mean(place.runs, "params_total")),
                formatting.scaled(_mean(place.runs, FLOPS)),
            ]
        else:
            row += ["no run finished", "", "0", "–", "–"]
        found.append(tuple(row))
    return found


def _mean(runs: Sequence[RunRecord], cost: str) -> float:
    return float(np.mean([getattr(run, cost) for run in runs]))


def _shown(found: Interval, sign: str) -> str:
    """Return an estimate with its interval."""
    if found.n < 2:
        return formatting.number(found.estimate, 3, sign)
    places = max(3, formatting.decimals((found.high - found.low) / 2))
    low, high = (formatting.number(end, places, sign) for end in (found.low, found.high))
    return f"{formatting.number(found.estimate, places, sign)} [{low}, {high}]"


def text(runs: Runs) -> str:
    """Return the table for a terminal."""
    return "\n".join(columns.table(HEAD, rows(runs), "llrrrrr", keys=2))


def publish(runs: Runs) -> None:
    """Make the runs the committed ones and fill in the table of README.md."""
    write_all([replace(run, arm=name) for name, of in runs.items() for run in of], RECORDS)
    PAGE.write_text(with_leaderboard(PAGE.read_text(), read(RECORDS)))


def with_leaderboard(page: str, records: Sequence[RunRecord]) -> str:
    """Return README.md with the table of these records."""
    runs: dict[str, list[RunRecord]] = {}
    for record in records:
        runs.setdefault(record.arm, []).append(record)
    [steps] = {record.steps for record in records if record.status == "finished"}
    lead = (
        f"{len(runs)} models, {steps} steps on the default text. A rank is a range where the "
        "differences to others, paired by seed, are not all clear (Holm's rule over all pairs); "
        f"none has what differs from the dense model by more than {EQUAL[FLOPS]:.0%} in FLOPs "
        "as measured."
    )
    if older := outdated_of(records, lambda _: TEXT):
        lead += f" **{older}**"
    return fill(page, "quality", f"{lead}\n\n{table(HEAD, rows(runs), 'll' + 'r' * 5)}")


if __name__ == "__main__":  # the table anew, from the committed runs
    PAGE.write_text(with_leaderboard(PAGE.read_text(), read(RECORDS)))
