"""What a run was made in, beside what another one was: all that may have changed a number."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from moebench.evidence.record import RunRecord

UNKNOWN = "not recorded"
CODE = "code "  # before the name of a module


class Change(NamedTuple):
    """One thing that was another when the run was made again."""

    what: str
    then: str
    now: str


def changes(then: RunRecord, now: RunRecord) -> list[Change]:
    """Return what differs, and what the older record does not say."""
    ours, theirs = dict(_described(then)), dict(_described(now))
    names = list(dict.fromkeys([*ours, *theirs]))
    found = [Change(name, ours.get(name, ""), theirs.get(name, "")) for name in names]
    return [
        one._replace(then=one.then or UNKNOWN, now=one.now or UNKNOWN)
        for one in found
        if one.then != one.now
    ] + _settings(then, now)


def _described(record: RunRecord) -> Iterator[tuple[str, str]]:
    """Yield name -> value of all that surrounds a run and may decide its numbers."""
    yield "commit", record.commit
    yield "source of moebench", record.source
    yield from ((CODE + name, digest) for name, digest in sorted(record.code.items()))
    yield from ((f"version of {name}", value) for name, value in record.versions.items())
    yield from ((name, str(value)) for name, value in record.hardware.items())
    yield "precision", record.precision
    yield "data", record.data_hash and f"{record.data_hash[:12]}, version {record.data_version}"
    yield "configuration", record.config_hash


def _settings(then: RunRecord, now: RunRecord) -> list[Change]:
    """Return the keys of the configuration that differ, where both records have it."""
    if not (then.config and now.config) or then.config_hash == now.config_hash:
        return []
    return differing(then.config, now.config)


def differing(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Change]:
    """Return the keys in which two configurations differ."""
    ours, theirs = dict(_flat(then)), dict(_flat(now))
    return [
        Change(key, ours.get(key, "absent"), theirs.get(key, "absent"))
        for key in dict.fromkeys([*ours, *theirs])
        if ours.get(key) != theirs.get(key)
    ]


def _flat(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield dotted key -> value of every leaf."""
    entries: Iterator[tuple[Any, Any]] | None = None
    if isinstance(value, Mapping) and value:
        entries = iter(value.items())
    elif isinstance(value, list) and value:
        entries = iter(enumerate(value))
    if entries is None:
        yield key, json.dumps(value, default=str)
        return
    for name, one in entries:
        yield from _flat(one, f"{key}.{name}" if key else str(name))


def mark(*parts: object) -> str:
    """Return a short hash that tells one environment from another."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
