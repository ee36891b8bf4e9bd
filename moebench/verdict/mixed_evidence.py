"""Evidence that must not stand side by side: other data, other code, another moebench.

The runs of a claim are of one target. Those of an arm have one configuration and one kind of data,
and no two of them are one run twice. Arms of a claim have the same data, unless the claim says
which of them have; such arms are trained in one precision, and as long as each other where the
claim calls their steps or their work equal. A module, a package and moebench itself are the same in
all runs that name them. Commits may differ: evidence grows over many, and every record names one.

A record that does not say something, as those of earlier versions do not say their code, has
nothing to differ in.
"""

from collections.abc import Iterable, Mapping, Sequence

from moebench.evidence.record import RunRecord
from moebench.papers.claim import Claim
from moebench.verdict.paired_runs import Evidence

# What arms are matched on that are trained for as many steps; others may stop at a criterion.
AS_LONG = ("steps", "active_flops")
MANY = 10  # numbers of a run, a curve among them, that never all agree by chance


def mixed_arm(records: Iterable[RunRecord]) -> str:
    """Say in what the runs of one arm differ that must be the same; empty if they do not."""
    runs = [record for record in records if record.status != "failed"]
    for name, what in (("config_hash", "configurations"), ("data_hash", "data sets")):
        if len(different := {getattr(record, name) for record in runs} - {""}) > 1:
            return f"its seeds have {len(different)} {what}: {', '.join(sorted(different))}"
    versions = sorted({record.data_version for record in runs if record.data_hash})
    if len(versions) > 1:
        return f"its seeds have data of the versions {', '.join(map(str, versions))}"
    if twice := _copied(runs):
        return f"its seeds {twice} have the same numbers, which are those of one run"
    codes = [set(record.code) for record in runs if record.code]
    if some := sorted(codes[0].union(*codes) - codes[0].intersection(*codes)) if codes else []:
        return f"only some of its seeds have the code {', '.join(some)}"
    return mixed_code(runs)


def _copied(runs: Iterable[RunRecord]) -> str:
    """Return two seeds whose runs agree in every number; empty if there are none."""
    seen: dict[frozenset[tuple[str, float]], int] = {}
    for record in runs:
        if record.steps and len(record.metrics) >= MANY:
            other = seen.setdefault(frozenset(record.metrics.items()), record.seed)
            if other != record.seed:
                return f"{other} and {record.seed}"
    return ""


def mixed_data(one: Sequence[RunRecord], other: Sequence[RunRecord]) -> str:
    """Say in what the data of two arms differ, each of one kind; empty if they do not."""
    for ours in _with_data(one):
        for theirs in _with_data(other):
            if ours.data_hash != theirs.data_hash:
                return f"other data ({theirs.data_hash[:8]}, {ours.data_hash[:8]})"
            if ours.data_version != theirs.data_version:
                return f"data of another version ({theirs.data_version}, {ours.data_version})"
    return ""


def mixed_training(claim: Claim, runs: Mapping[str, Sequence[RunRecord]]) -> str:
    """Say in what the training of arms differs that have the same data; empty if in nothing."""
    told: dict[str, dict[str, str]] = {"precision": {}, "length": {}}
    for arm, records in runs.items():
        for record in records:
            if record.precision:
                told["precision"].setdefault(f"in {record.precision}", arm)
            if record.steps and record.status == "finished" and claim.matched_on in AS_LONG:
                length = f"for {record.steps} steps on {record.tokens} tokens"
                told["length"].setdefault(length, arm)
    for found in told.values():
        if len(found) > 1:
            return "; ".join(f"{arm} was trained {how}" for how, arm in found.items())
    return ""


def mixed_code(records: Iterable[RunRecord]) -> str:
    """Say which code runs have in different versions; empty if there is none."""
    known: dict[str, str] = {}
    for record in records:
        own = record.versions.get("moebench", "")
        for name, digest in {**({"moebench": own} if own else {}), **record.code}.items():
            if known.setdefault(name, digest) != digest:
                return f"{name} differs between runs ({known[name]}, {digest})"
    return ""


def mixtures(claims: Iterable[Claim], records: Sequence[RunRecord]) -> list[str]:
    """Return why the claims of a paper must not all be judged by these records, each reason once.

    Args:
        claims: of one paper; those that the runs of another judge are left out.
        records: of one profile.
    """
    reasons: dict[str, None] = {}
    for claim in claims:
        if claim.runs_of:
            continue
        if why := mixed(claim, Evidence.of(claim.arms, records)):
            reasons[why] = None
    return list(reasons)


def mixed(claim: Claim, evidence: Evidence) -> str:
    """Say why the runs of a claim must not be judged together; empty if they may."""
    runs = {
        arm: [record for record in evidence.runs[arm].values() if record.status != "failed"]
        for arm in claim.arms
    }
    for arm, ours in runs.items():
        if why := mixed_arm(ours):
            return f"{arm}: {why}"
    targets = sorted({record.target for ours in runs.values() for record in ours})
    if len(targets) > 1:
        return f"the runs are of {len(targets)} targets: {', '.join(targets)}"
    for group in claim.same_data or (claim.arms,):
        first, *others = [arm for arm in group if _with_data(runs[arm])] or [""]
        for other in others:
            if why := mixed_data(runs[first], runs[other]):
                return f"{other} had {why} than {first}"
        if why := mixed_training(claim, {arm: runs[arm] for arm in group}):
            return why
    return mixed_code(record for ours in runs.values() for record in ours)


def _with_data(records: Sequence[RunRecord]) -> Sequence[RunRecord]:
    """Return the first record that has data, as all of an arm have the same."""
    return [record for record in records if record.data_hash][:1]
