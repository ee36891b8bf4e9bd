"""What a run leaves behind: one RunRecord, one line of JSON.

Names of metrics: `valid/loss` is the last validation, `valid/loss@<step>` a point of its curve;
`route/...` are means over the last 20% of the training steps, such as `route/dropped`, the share
of assignments that found no room; `last_tenth/route/...` are the same over the last 10%, which
older records lack; `data/overlap` is the share of validation text that stands in the training text.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from types import UnionType
from typing import Any, get_args, get_origin

SWEEPS = "sweeps"  # the target of runs of a search
FIRST_FRESH_SEED = 1000
STATUSES = ("finished", "diverged", "out_of_memory", "failed", "pruned")


def chooses(target: str, seed: int) -> bool:
    """Say whether a run served a search to choose; it judges nothing, fresh seeds do."""
    return target == SWEEPS and seed < FIRST_FRESH_SEED


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One arm with one seed: what it was, what it cost, what came out.

    Raises:
        ValueError: for a status that does not exist.
    """

    target: str
    profile: str
    arm: str
    seed: int
    status: str  # one of STATUSES
    config_hash: str
    commit: str  # with a `+` where files that decide a number differed from it
    versions: Mapping[str, str] = field(default_factory=dict)
    hardware: Mapping[str, str | int] = field(default_factory=dict)
    source: str = ""  # digest of the modules of moebench and of the paper that computed it
    precision: str = ""  # that it was trained in; empty for what trains nothing
    data_hash: str = ""
    data_version: int = 1  # of the data module
    code: Mapping[str, str] = field(default_factory=dict)  # beside moebench's own: module -> digest
    steps: int = 0
    tokens: int = 0  # of the training batches, as their data count them; padded places, too
    params_total: int = 0
    params_active: int = 0  # parameters that one token meets
    flops_per_token: float = 0.0  # forward pass, of a training batch at the end
    seconds: float = 0.0  # in training steps
    tokens_per_second: float = 0.0  # median over the stretches between validations
    peak_memory_bytes: int = 0
    # Cost, by its name above or seconds_per_step -> what mixture and dense twin were to have alike.
    planned: Mapping[str, float] = field(default_factory=dict)
    leaks: str = ""  # what routing saw that a causal model must not, such as "later tokens"
    # Key -> version of the claims that this run was to judge when it was made; older records have
    # None, for every claim was at version 1 then.
    claims: Mapping[str, int] | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    # As it was resolved, whole: defaults of later versions may be others. About half of a line.
    config: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"status={self.status}: unknown; one of {', '.join(STATUSES)}")

    @property
    def identity(self) -> str:
        """What tells the run from others, the seed aside."""
        version = self.versions.get("moebench", "")
        return identity(self.config_hash, self.data_hash, self.data_version, self.code, version)

    @property
    def seconds_per_step(self) -> float:
        """The time of a step at the run's own pace; needs a run that took one."""
        return self.tokens / self.steps / self.tokens_per_second

    def to_json(self) -> str:
        """Return the record as one line; a metric that is not finite is left out, JSON has none.

        Raises:
            ValueError: if any other number is not finite.
        """
        values = asdict(self)
        for key, value in values.items():
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"{key}={value}: a record takes finite numbers only")
        values["metrics"] = {k: v for k, v in values["metrics"].items() if math.isfinite(v)}
        values["config"] = _spelt(values["config"])
        return json.dumps(values, allow_nan=False)

    @classmethod
    def from_json(cls, line: str) -> "RunRecord":
        """Return the record of a line.

        Raises:
            ValueError: saying what is missing or unknown, or that it is no JSON object.
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
                raise ValueError(f"{known.name}={values[known.name]!r}: not of the right kind")
        return cls(**values)


REQUIRED = ("target", "profile", "arm", "seed", "status", "config_hash", "commit")


def identity(
    config_hash: str, data_hash: str, data_version: int, code: Mapping[str, str], version: str
) -> str:
    """Return the hash of all that decides what a run is of, the seed aside.

    Args:
        config_hash: of the configuration.
        data_hash: of the content of the data.
        data_version: of the data module.
        code: module -> digest of its source, or package -> version.
        version: of moebench.
    """
    decisive = [config_hash, data_hash, data_version, dict(code), version]
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()[:16]


def _spelt(value: Any) -> Any:
    """Return a configuration with numbers that are not finite in words, as YAML has them."""
    if isinstance(value, dict):
        return {key: _spelt(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_spelt(one) for one in value]
    return f"{value}" if isinstance(value, float) and not math.isfinite(value) else value


def _is_of(value: Any, kind: Any) -> bool:
    """Say whether a value of JSON is of the type that a field has; whole numbers are floats too."""
    if isinstance(kind, UnionType):
        return any(_is_of(value, one) for one in get_args(kind))
    if get_origin(kind) is Mapping:
        allowed = _allowed(get_args(kind)[1])
        return isinstance(value, dict) and all(isinstance(one, allowed) for one in value.values())
    return isinstance(value, _allowed(kind)) and not isinstance(value, bool)


def _allowed(kind: Any) -> Any:
    return {float: (int, float), Any: object}.get(kind, kind)


def _refuse(constant: str) -> float:
    """Refuse the NaN and Infinity that Python's reader would take."""
    raise ValueError(f"{constant} is not a JSON number")
