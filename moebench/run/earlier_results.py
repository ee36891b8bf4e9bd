"""The results in a folder of runs: those of other runs are kept when new ones are to be written."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from moebench.evidence.data_name import data_name
from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import EARLIER, read
from moebench.evidence.result_files import RESULTS


def set_aside(folder: Path, records: Sequence[RunRecord]) -> Path | None:
    """Move the results in a folder away if an arm has other runs in them than in these records.

    Results of the same runs that were moved before are replaced; they say the same, or less.

    Returns:
        The folder that they are in now, `<folder>/earlier/<data>-<digest>`; None if they stay.
    """
    before = read(folder / RESULTS[0]) if (folder / RESULTS[0]).exists() else []
    were, are = _identities(before), _identities(records)
    if all(were[arm] == are[arm] for arm in were.keys() & are.keys()):
        return None
    names = dict.fromkeys(data_name(record.config) for record in before if record.data_hash)
    content = json.dumps(sorted((arm, sorted(found)) for arm, found in were.items()))
    digest = hashlib.sha256(content.encode()).hexdigest()[:8]
    aside = folder / EARLIER / "-".join([*names, digest])
    aside.mkdir(parents=True, exist_ok=True)
    for name in reversed(RESULTS):  # the records last: after a kill the rest is moved, too
        if (folder / name).exists():
            (folder / name).replace(aside / name)
    return aside


def _identities(records: Iterable[RunRecord]) -> dict[str, set[str]]:
    """Return arm -> the identities of its runs; a failed one may not know its data."""
    found: dict[str, set[str]] = {}
    for record in records:
        if record.status != "failed":
            found.setdefault(record.arm, set()).add(record.identity)
    return found
