"""What a paper says, as data: a Claim is fixed before the run and judged after it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from moebench.verdict.findings import Findings
    from moebench.verdict.paired_runs import Evidence

MatchedOn = Literal["active_flops", "total_params", "step_time", "steps"]
Direction = Literal["lower", "higher"]
Level = Literal[
    "arithmetic",  # follows, or not, from formulas; exact
    "mechanism-cpu",  # a property of the algorithm; seconds
    "exact-scale-cpu",  # the paper's own experiment at its own size
    "scaled-cpu",  # an ordering or a trend at toy scale
    "gpu-preferred",  # depends on precision or on time, which a CPU distorts
    "not-testable-here",  # needs data or a scale out of reach
]


class VerdictLabel(StrEnum):
    """What a verdict says."""

    REPRODUCED = "reproduced"
    PARTIAL = "partial"
    NOT_REPRODUCED = "not reproduced"
    INCONCLUSIVE = "inconclusive"
    # Of a control, which is no claim of the paper:
    PASSED = "control passed"
    FAILED = "control failed"
    UNDECIDED = "control undecided"
    # Of what was not judged:
    NEEDS_FULL = "needs full"
    NEEDS_GPU = "needs gpu"
    NOT_IMPLEMENTED = "not implemented"
    NOT_TESTABLE = "not testable here"


JUDGED = (
    VerdictLabel.REPRODUCED,
    VerdictLabel.PARTIAL,
    VerdictLabel.NOT_REPRODUCED,
    VerdictLabel.INCONCLUSIVE,
)
OF_CONTROLS = (VerdictLabel.PASSED, VerdictLabel.FAILED, VerdictLabel.UNDECIDED)
KINDS = {"effect": "positive", "no effect": "null"}  # what a control expects -> its name
NOT_JUDGED = (
    VerdictLabel.NEEDS_FULL,
    VerdictLabel.NEEDS_GPU,
    VerdictLabel.NOT_IMPLEMENTED,
    VerdictLabel.NOT_TESTABLE,
)


def units(replicate: str) -> str:
    """Return the plural of a unit of replication: seeds, speaker orders, initial weights."""
    return replicate if replicate.endswith("s") else f"{replicate}s"


@dataclass(frozen=True, kw_only=True)
class Paper:
    """Where the claims come from."""

    key: str  # the folder under reproductions/
    name: str = ""  # short, for commands: `make reproduce-<name>`; empty: the key
    title: str
    authors: str
    year: int  # papers stand in the order of their years
    order: int = 0  # among those of one year
    arxiv: str  # identifier, "" where there is none


@dataclass(frozen=True, kw_only=True)
class ClaimTest(ABC):
    """How runs decide a claim: which arms, which metric, and what is asked of them.

    Tests are frozen data with typed fields, made when the paper is imported, so that what is
    missing or misspelt is refused before anything is trained. Those that several papers use are in
    `moebench.verdict`; what serves one paper alone is in its `judging.py`.

    Raises:
        ValueError: for a margin below nought, a word that a field does not know, no arms, or an
            arm that is compared with itself.
    """

    metric: str = "valid/loss"  # a key of RunRecord.metrics; `name@step` is a point of a curve
    unit: str = "nats"  # of the effect
    margin: float = 0.0  # in `unit`: the smallest effect that would count

    def __post_init__(self) -> None:
        if self.margin < 0:
            raise ValueError(f"margin={self.margin}: must be at least 0")
        for name, kind in get_type_hints(type(self)).items():
            value = getattr(self, name)
            if get_origin(kind) is Literal and value not in get_args(kind):
                raise ValueError(f"{name}={value}: unknown; one of {', '.join(get_args(kind))}")
        if not self.arms:
            raise ValueError("arms: needs at least one")
        for first, second in self.pairs:
            if first == second:
                raise ValueError(f"arm={first}: compared with itself")

    @property
    @abstractmethod
    def arms(self) -> tuple[str, ...]:
        """The arms whose runs are asked for, in the order of tables."""

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """The arms that are compared, which must be equal in what the claim is matched on."""
        first, *others = self.arms
        return [(first, other) for other in others]

    @abstractmethod
    def judge(self, evidence: "Evidence") -> "Findings":
        """Return what the runs of the arms say."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One statement of a paper and everything that decides whether runs bear it out.

    A changed claim gets a new version and a rerun. Whether claim or run came first stands in the
    records of the runs.

    Raises:
        ValueError: unless there is either a test or a reason why there is none; for fewer than one
            seed; for a control that does not say what it expects; or for groups of same data that
            miss an arm or name one twice.
    """

    key: str  # unique in the project, such as SW21-03
    version: int = 1
    late: bool = False  # filed when its runs were there, in records that say nothing of claims
    says: str  # the statement in our own words
    source: str  # place in the paper
    paper_values: Mapping[str, Any]  # the paper's own figures, by name
    test: ClaimTest | None = None
    matched_on: MatchedOn | None  # what the arms have in common; None: there is nothing to match
    seeds: int = 5  # asked for; a verdict on fewer is preliminary
    replicate: str = "seed"  # the unit over which the claim is said to hold
    level: Level = "scaled-cpu"
    because: str = ""  # why there is no test
    out_of_reach: bool = True  # what has no test cannot have one here; or nobody has written it yet
    ours: bool = False  # an addition of this project, not a statement of the paper
    control_of: str = ""  # key of the claim that this one is a control of
    expects: Literal["", "effect", "no effect"] = ""  # of a control
    uncontrolled: str = ""  # why a claim judged from training lacks a control, or both
    caution: str = ""  # said beside every verdict
    runs_of: str = ""  # target whose runs judge it; empty: those of its own paper
    same_data: tuple[tuple[str, ...], ...] = ()  # groups of arms, each of one data set; (): all are

    def __post_init__(self) -> None:
        if bool(self.test) == bool(self.because):
            raise ValueError(f"claim {self.key}: needs either a test or a reason why there is none")
        if self.seeds < 1:
            raise ValueError(f"claim {self.key}: seeds={self.seeds}: must be at least 1")
        if bool(self.control_of) != bool(self.expects):
            raise ValueError(f"claim {self.key}: control_of and expects: both or neither")
        grouped = sorted(arm for group in self.same_data for arm in group)
        if grouped and grouped != sorted(set(self.arms)):
            raise ValueError(f"claim {self.key}: same_data: must have every arm once")

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms of its test, each once."""
        return tuple(dict.fromkeys(self.test.arms)) if self.test else ()

    @property
    def of_paper(self) -> bool:
        """Whether it is a statement of the paper, and counted as such."""
        return not (self.ours or self.control_of)

    @property
    def trained(self) -> bool:
        """Whether it is judged from training, which can go wrong, and so needs controls."""
        return self.test is not None and self.level not in ("arithmetic", "mechanism-cpu")
