"""The result of a run: one RunRecord, one line of JSON.

Names of metrics:

* `valid/loss`: the last validation; `valid/loss@<step>`: a point of its curve.
* `route/...`: a mean over the last 20% of the training steps, such as `route/dropped`, the share of
  assignments that exceeded capacity; `last_tenth/route/...`: the same over the last 10%.
* `route/max_over_mean@<step>`: the mean over the tenth of training that ends with this step.
* `data/overlap`: the share of validation text that also occurs in the training text.

Older records lack those of a tenth.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from types import UnionType
from typing import Any, get_args, get_origin

SWEEPS = "sweeps"  # the target of runs of a search
FIT = "fit"  # the target of single runs
FIRST_FRESH_SEED = 1000  # whatever chooses uses smaller seeds
STATUSES = ("finished", "diverged", "out_of_memory", "timed_out", "failed", "pruned")


def chooses(target: str, seed: int) -> bool:
    """Say whether a search chose by this run; only runs with fresh seeds may then judge."""
    return target == SWEEPS and seed < FIRST_FRESH_SEED


def tried(record: "RunRecord") -> bool:
    """Say whether the result of a sweep that judges a claim has a seed that trials may have used.

    An arm is then a point of the sweep, `balance/0.01`, or the sweep with the shares of its space.
    """
    of_sweep = "/" in record.arm or any(name.startswith("share/") for name in record.metrics)
    return of_sweep and record.seed < FIRST_FRESH_SEED


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One arm with one seed: what was run, what it cost, what came out.

    Raises:
        ValueError: for an unknown status.
    """

    target: str
    profile: str
    arm: str
    seed: int
    status: str  # one of STATUSES
    config_hash: str
    commit: str  # ends in `+` if files that affect results had uncommitted changes
    versions: Mapping[str, str] = field(default_factory=dict)
    hardware: Mapping[str, str | int] = field(default_factory=dict)
    source: str = ""  # digest of the modules of moebench and of the paper that computed it
    precision: str = ""  # of training; empty if nothing was trained
    data_hash: str = ""
    data_version: int = 1  # of the data module
    code: Mapping[str, str] = field(default_factory=dict)  # outside moebench: module -> digest
    steps: int = 0
    tokens: int = 0  # of the training batches, as their data count them, padding included
    params_total: int = 0
    params_active: int = 0  # parameters used by one token
    flops_per_token: float = 0.0  # forward pass of a training batch, at the end of training
    seconds: float = 0.0  # spent in training steps
    tokens_per_second: float = 0.0  # median over the intervals between validations
    peak_memory_bytes: int = 0
    # Cost (a name above, or seconds_per_step) -> the value that mixture and twin were to share.
    planned: Mapping[str, float] = field(default_factory=dict)
    leaks: str = ""  # what routing saw that a causal model must not see, such as "later tokens"
    # Key -> version of the claims that this run was made to judge; None in older records, made when
    # every claim was at version 1.
    claims: Mapping[str, int] | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    # Fully resolved, because defaults may change; about half of each line.
    config: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"status={self.status}: unknown; one of {', '.join(STATUSES)}")

    @property
    def identity(self) -> str:
        """Hash of everything that defines the run except its seed."""
        version = self.versions.get("moebench", "")
        return identity(self.config_hash, self.data_hash, self.data_version, self.code, version)

    @property
    def seconds_per_step(self) -> float:
        """Time per step at the run's own speed; the run must have taken at least one."""
        return self.tokens / self.steps / self.tokens_per_second

    def to_json(self) -> str:
        """Return the record as one line, without metrics that are not finite: JSON has none.

        Raises:
            ValueError: if any other number is not finite.
        """
        values = asdict(self)
        for key, value in values.items():
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"{key}={value}: must be finite")
        values["metrics"] = {k: v for k, v in values["metrics"].items() if math.isfinite(v)}
        values["config"] = _spelt(values["config"])
        return json.dumps(values, allow_nan=False)

    @classmethod
    def from_json(cls, line: str) -> "RunRecord":
        """Parse a record from one line.

        Raises:
            ValueError: if keys are missing or unknown, or if the line is not a JSON object.
        """
        values: dict[str, Any] = json.loads(line, parse_constant=_refuse)
        if not isinstance(values, dict):
            raise ValueError("expected a JSON object")
        if unknown := set(values) - {f.name for f in fields(cls)}:
            raise ValueError(f"unknown keys {', '.join(sorted(unknown))}")
        if missing := [name for name in REQUIRED if name not in values]:
            raise ValueError(f"missing keys {', '.join(missing)}")
        for known in fields(cls):
            if known.name in values and not _is_of(values[known.name], known.type):
                raise ValueError(f"{known.name}={values[known.name]!r}: wrong type")
        return cls(**values)


REQUIRED = ("target", "profile", "arm", "seed", "status", "config_hash", "commit")


def identity(
    config_hash: str, data_hash: str, data_version: int, code: Mapping[str, str], version: str
) -> str:
    """Return the hash of everything that defines a run except its seed.

    Args:
        config_hash: hash of the configuration.
        data_hash: hash of the data's content.
        data_version: version of the data module.
        code: module -> digest of its source, or package -> version.
        version: version of moebench.
    """
    decisive = [config_hash, data_hash, data_version, dict(code), version]
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()[:16]


def _spelt(value: Any) -> Any:
    """Return a configuration with infinities and NaN spelt out, as in YAML."""
    if isinstance(value, dict):
        return {key: _spelt(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_spelt(one) for one in value]
    return f"{value}" if isinstance(value, float) and not math.isfinite(value) else value


def _is_of(value: Any, kind: Any) -> bool:
    """Say whether a JSON value has the type of a field; integers also count as floats."""
    if isinstance(kind, UnionType):
        return any(_is_of(value, one) for one in get_args(kind))
    if get_origin(kind) is Mapping:
        allowed = _allowed(get_args(kind)[1])
        return isinstance(value, dict) and all(isinstance(one, allowed) for one in value.values())
    return isinstance(value, _allowed(kind)) and not isinstance(value, bool)


def _allowed(kind: Any) -> Any:
    return {float: (int, float), Any: object}.get(kind, kind)


def _refuse(constant: str) -> float:
    """Refuse NaN and Infinity, which Python's parser accepts."""
    raise ValueError(f"{constant} is not a JSON number")
