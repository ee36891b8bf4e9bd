"""What a paper says, as data: a Claim is fixed before the run and judged after it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

MatchedOn = Literal["active_flops", "total_params", "step_time", "steps"]
Direction = Literal["lower", "higher", "equal"]
Level = Literal[
    "arithmetic",  # follows, or not, from formulas; exact
    "mechanism-cpu",  # a property of the algorithm; seconds
    "exact-scale-cpu",  # the paper's own experiment at its own size
    "scaled-cpu",  # an ordering or a trend at toy scale
    "gpu-preferred",  # depends on precision or on time, which a CPU distorts
    "not-testable-here",  # needs data or a scale out of reach
]


class Word(StrEnum):
    """The five words a verdict may use."""

    REPRODUCED = "reproduced"
    PARTIAL = "partial"
    NOT_REPRODUCED = "not reproduced"
    INCONCLUSIVE = "inconclusive"
    NOT_TESTABLE = "not testable here"


@dataclass(frozen=True, kw_only=True)
class Paper:
    """Where the claims come from."""

    key: str  # the folder under reproductions/
    title: str
    authors: str
    year: int
    arxiv: str  # identifier, "" where there is none


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One statement of a paper and everything that decides whether runs bear it out.

    A changed claim gets a new version and a rerun. What the arms mean, in which order, and which
    settings there are is fixed by the test, see `moebench.verdict`.

    Raises:
        ValueError: unless there is either a test or a reason why there is none; for a negative
            margin, fewer than one seed, or groups of same data that miss an arm or name one twice.
    """

    key: str  # unique in the project, such as SW21-03
    version: int = 1
    says: str  # the statement in our own words
    source: str  # place in the paper
    paper_values: Mapping[str, Any]  # the paper's own figures, by name
    arms: tuple[str, ...] = ()  # the order is fixed by the test
    matched_on: MatchedOn | None  # what the arms have in common; None: there is nothing to match
    metric: str = "valid/loss"  # a key of RunRecord.metrics; `name@step` is a point of a curve
    unit: str = "nats"  # of effect and margin
    direction: Direction = "lower"  # claimed of the first arm against the second
    margin: float = 0.0  # in `unit`: the smallest effect that would count
    seeds: int = 5  # asked for; a verdict on fewer is preliminary
    test: str = ""  # a name in moebench.verdict.TESTS
    level: Level = "scaled-cpu"
    because: str = ""  # why it cannot be tested here
    settings: Mapping[str, Any] = field(default_factory=dict)  # further parameters of the test
    same_data: tuple[tuple[str, ...], ...] = ()  # groups of arms, each of one data set; (): all are

    def __post_init__(self) -> None:
        if bool(self.test) == bool(self.because):
            raise ValueError(f"claim {self.key}: needs either a test or a reason why there is none")
        grouped = sorted(arm for group in self.same_data for arm in group)
        if grouped and grouped != sorted(set(self.arms)):
            raise ValueError(f"claim {self.key}: same_data: must have every arm once")
        if self.margin < 0:
            raise ValueError(f"claim {self.key}: margin={self.margin}: must be at least 0")
        if self.seeds < 1:
            raise ValueError(f"claim {self.key}: seeds={self.seeds}: must be at least 1")
