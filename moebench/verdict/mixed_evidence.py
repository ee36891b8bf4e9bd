"""Evidence that must not be combined: different data, code or versions of moebench.

All runs of a claim belong to one target. The runs of an arm share one configuration and one version
of the data, and none is a copy of another. The arms of a claim use the same data, unless the claim
groups them; arms with the same data are trained in the same precision, and for equally long if the
claim calls their steps or FLOPs equal. Modules, packages and moebench itself are the same in all
runs that record them. Commits may differ: evidence accumulates over many, and every record names
its own.

What a record does not say, like the code in records of earlier versions, cannot differ.
"""

from collections.abc import Iterable, Mapping, Sequence

from moebench.evidence.record import RunRecord
from moebench.papers.claim import Claim
from moebench.verdict.paired_runs import Evidence

# Arms matched on these train for equally many steps; others may stop at a criterion.
EQUAL_LENGTH = ("steps", "active_flops")
MANY = 10  # metrics, a whole curve among them, that never all agree by chance


def mixed_arm(records: Iterable[RunRecord]) -> str:
    """Say how the runs of one arm differ where they must agree; empty if they agree."""
    runs = [record for record in records if record.status != "failed"]
    for name, what in (("config_hash", "configurations"), ("data_hash", "data sets")):
        if len(different := {getattr(record, name) for record in runs} - {""}) > 1:
            return f"its seeds have {len(different)} {what}: {', '.join(sorted(different))}"
    versions = sorted({record.data_version for record in runs if record.data_hash})
    if len(versions) > 1:
        return f"its seeds used versions {', '.join(map(str, versions))} of the data"
    if twice := _copied(runs):
        return f"its seeds {twice} have identical metrics, so one is a copy of the other"
    codes = [set(record.code) for record in runs if record.code]
    if some := sorted(codes[0].union(*codes) - codes[0].intersection(*codes)) if codes else []:
        return f"only some of its seeds ran the code {', '.join(some)}"
    return mixed_code(runs)


def _copied(runs: Iterable[RunRecord]) -> str:
    """Return two seeds whose runs agree in every metric; empty if there are none."""
    seen: dict[frozenset[tuple[str, float]], int] = {}
    for record in runs:
        if record.steps and len(record.metrics) >= MANY:
            other = seen.setdefault(frozenset(record.metrics.items()), record.seed)
            if other != record.seed:
                return f"{other} and {record.seed}"
    return ""


def mixed_data(one: Sequence[RunRecord], other: Sequence[RunRecord]) -> str:
    """Say how the data of two arms differ; empty if they are the same."""
    for ours in _with_data(one):
        for theirs in _with_data(other):
            if ours.data_hash != theirs.data_hash:
                return f"different data ({theirs.data_hash[:8]}, {ours.data_hash[:8]})"
            if ours.data_version != theirs.data_version:
                versions = f"{theirs.data_version}, {ours.data_version}"
                return f"a different version of the data ({versions})"
    return ""


def mixed_training(claim: Claim, runs: Mapping[str, Sequence[RunRecord]]) -> str:
    """Say how the training of arms with the same data differs; empty if it does not."""
    ways: dict[str, dict[str, str]] = {"precision": {}, "length": {}}
    for arm, records in runs.items():
        for record in records:
            if record.precision:
                ways["precision"].setdefault(f"in {record.precision}", arm)
            if record.steps and record.status == "finished" and claim.matched_on in EQUAL_LENGTH:
                length = f"for {record.steps} steps on {record.tokens} tokens"
                ways["length"].setdefault(length, arm)
    for found in ways.values():
        if len(found) > 1:
            return "; ".join(f"{arm} was trained {how}" for how, arm in found.items())
    return ""


def mixed_code(records: Iterable[RunRecord]) -> str:
    """Say which code differs between runs; empty if none does."""
    known: dict[str, str] = {}
    for record in records:
        own = record.versions.get("moebench", "")
        for name, digest in {**({"moebench": own} if own else {}), **record.code}.items():
            if known.setdefault(name, digest) != digest:
                return f"{name} differs between runs ({known[name]}, {digest})"
    return ""


def mixed_claims(claims: Iterable[Claim], records: Sequence[RunRecord]) -> list[str]:
    """Return the reasons why some claims of a paper cannot be judged by these records, each once.

    Args:
        claims: the claims of one paper; those judged by another target's runs are skipped.
        records: the records of one profile.
    """
    reasons: dict[str, None] = {}
    for claim in claims:
        if claim.runs_of:
            continue
        if why := mixed_claim(claim, Evidence.of(claim.arms, records)):
            reasons[why] = None
    return list(reasons)


def mixed_claim(claim: Claim, evidence: Evidence) -> str:
    """Say why the runs of a claim must not be judged together; empty if they may be."""
    runs = {
        arm: [record for record in evidence.runs[arm].values() if record.status != "failed"]
        for arm in claim.arms
    }
    for arm, ours in runs.items():
        if why := mixed_arm(ours):
            return f"{arm}: {why}"
    targets = sorted({record.target for ours in runs.values() for record in ours})
    if len(targets) > 1:
        return f"the runs belong to {len(targets)} targets: {', '.join(targets)}"
    for group in claim.same_data or (claim.arms,):
        first, *others = [arm for arm in group if _with_data(runs[arm])] or [""]
        for other in others:
            if why := mixed_data(runs[first], runs[other]):
                return f"{other} used {why} from {first}"
        if why := mixed_training(claim, {arm: runs[arm] for arm in group}):
            return why
    return mixed_code(record for ours in runs.values() for record in ours)


def _with_data(records: Sequence[RunRecord]) -> Sequence[RunRecord]:
    """Return the first record that has data; all records of an arm have the same."""
    return [record for record in records if record.data_hash][:1]
