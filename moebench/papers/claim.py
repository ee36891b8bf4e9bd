"""What a paper claims, as data: a Claim is fixed before its runs and judged after them."""

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
    "arithmetic",  # decided by formulas; exact
    "mechanism-cpu",  # a property of the algorithm; takes seconds
    "exact-scale-cpu",  # the paper's own experiment at its own size
    "scaled-cpu",  # an ordering or a trend at toy scale
    "gpu-preferred",  # depends on precision or on time, which a CPU distorts
    "not-testable-here",  # needs data or a scale that is out of reach
]


class VerdictLabel(StrEnum):
    """The label of a verdict."""

    REPRODUCED = "reproduced"
    PARTIAL = "partial"
    NOT_REPRODUCED = "not reproduced"
    INCONCLUSIVE = "inconclusive"
    # For controls, which are not claims of the paper:
    PASSED = "control passed"
    FAILED = "control failed"
    UNDECIDED = "control undecided"
    # For claims that were not judged:
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
    year: int  # papers are listed by year
    order: int = 0  # among papers of the same year
    arxiv: str  # identifier, "" if there is none
    headline: str = ""  # key of the claim that its page tells first; empty: none


@dataclass(frozen=True, kw_only=True)
class ClaimTest(ABC):
    """How runs decide a claim: which arms, which metric, and what must be true of them.

    Tests are frozen data with typed fields, created when the paper is imported, so that missing or
    misspelt fields are refused before any training. Tests that several papers use are in
    `moebench.verdict`; those of a single paper are in its `judging.py`.

    Raises:
        ValueError: for a negative margin, an unknown value of a field, no arms, or an arm compared
            with itself.
    """

    metric: str = "valid/loss"  # a key of RunRecord.metrics; `name@step` is a point of a curve
    unit: str = "nats"  # of the effect
    margin: float = 0.0  # the smallest effect that counts, in `unit`

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
        """The arms whose runs the test needs, in the order of tables."""

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """The pairs of arms compared, which must be equal in what the claim is matched on."""
        first, *others = self.arms
        return [(first, other) for other in others]

    @abstractmethod
    def judge(self, evidence: "Evidence") -> "Findings":
        """Return what the runs of the arms say."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One statement of a paper and everything that decides whether runs support it.

    A changed claim gets a new version and new runs. The records of the runs tell whether the claim
    or the run came first.

    Raises:
        ValueError: without exactly one of a test and a reason for having none; for fewer than one
            seed; for a control that does not say what it expects; or for groups of same data that
            omit or repeat an arm.
    """

    key: str  # unique in the project, such as SW21-03
    version: int = 1
    late: bool = False  # filed after its runs, whose records do not list claims
    says: str  # the statement in our own words
    source: str  # place in the paper
    paper_values: Mapping[str, Any]  # the paper's own figures, by name
    test: ClaimTest | None = None
    matched_on: MatchedOn | None  # what the arms have in common; None: nothing to match
    seeds: int = 5  # number required; a verdict on fewer is preliminary
    replicate: str = "seed"  # the unit over which the claim is said to hold
    level: Level = "scaled-cpu"
    because: str = ""  # why there is no test
    out_of_reach: bool = True  # without a test: it is impossible here, not just unwritten
    ours: bool = False  # an addition of this project, not a statement of the paper
    control_of: str = ""  # key of the claim that this one is a control of
    expects: Literal["", "effect", "no effect"] = ""  # of a control
    uncontrolled: str = ""  # why a claim judged from training lacks one control or both
    caution: str = ""  # printed with every verdict
    runs_of: str = ""  # target whose runs judge it; empty: its own paper
    same_data: tuple[tuple[str, ...], ...] = ()  # groups of arms with the same data; (): all arms

    def __post_init__(self) -> None:
        if bool(self.test) == bool(self.because):
            raise ValueError(f"claim {self.key}: needs either `test` or `because`")
        if self.seeds < 1:
            raise ValueError(f"claim {self.key}: seeds={self.seeds}: must be at least 1")
        if bool(self.control_of) != bool(self.expects):
            raise ValueError(f"claim {self.key}: needs both or neither of control_of and expects")
        grouped = sorted(arm for group in self.same_data for arm in group)
        if grouped and grouped != sorted(set(self.arms)):
            raise ValueError(f"claim {self.key}: same_data: must list every arm once")

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms of its test, without repeats."""
        return tuple(dict.fromkeys(self.test.arms)) if self.test else ()

    @property
    def of_paper(self) -> bool:
        """Whether it is a statement of the paper, to be counted as such."""
        return not (self.ours or self.control_of)

    @property
    def trained(self) -> bool:
        """Whether it is judged from training, which can go wrong, and so needs controls."""
        return self.test is not None and self.level not in ("arithmetic", "mechanism-cpu")
