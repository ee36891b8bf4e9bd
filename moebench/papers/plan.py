"""What a reproduction runs: arms, profiles, seeds. Plain data, like the claims; no torch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from moebench.papers.nearest import nearest

MatchedOn = Literal["active_flops", "total_params", "step_time"]

# The costs that two arms may have in common, by their names in a record, and how far they may
# differ and still be equal: widths are multiples of 16, and measured times vary.
EQUAL = {"flops_per_token": 0.05, "params_total": 0.05, "seconds_per_step": 0.10}
NAMES = dict(zip(EQUAL, ("FLOPs", "parameters", "time"), strict=True))
MATCHED_COST: Mapping[str, str] = dict(
    zip(("active_flops", "total_params", "step_time"), EQUAL, strict=True)
)


@dataclass(frozen=True)
class Arm:
    """One side of a comparison: an experiment, run with several seeds.

    `settings` are configuration keys and values that override the files. An arm with `twin_of` is
    the dense twin of that arm, built so that `matched_on` is equal.

    Raises:
        ValueError: for a `/` in the name, by which points of sweeps are told.
    """

    name: str
    configs: Sequence[str]  # files in configs/<target>/; later ones override earlier ones
    settings: Mapping[str, object] = field(default_factory=dict)
    twin_of: str = ""
    matched_on: MatchedOn = "active_flops"

    def __post_init__(self) -> None:
        if "/" in self.name:
            raise ValueError(f"arm={self.name}: a / is for the points of a sweep")


@dataclass(frozen=True)
class Profile:
    """Which arms are run, and at what size."""

    name: str
    arms: Sequence[str]
    seeds: int  # number of seeds, unless an arm has its own below
    settings: Mapping[str, object]  # override those of every arm
    more_seeds: Mapping[str, int] = field(default_factory=dict)  # arm -> number of seeds
    arm_settings: Mapping[str, Mapping[str, object]] = field(default_factory=dict)  # by arm
    computed: Sequence[str] | None = None  # arms of Plan.computed; None: all
    first_seed: int = 0  # seeds below it are for trials, which no verdict may use
    sweeps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # name -> changes
    on_gpu: bool = False  # made for a GPU; without one it would take days

    def seeds_of(self, arm: str) -> int:
        """Return the number of seeds for this arm."""
        return self.more_seeds.get(arm, self.seeds)


# For papers in which much follows from arithmetic and small computations, without any training.
COMPUTED_ONLY = Profile("computed", arms=[], seeds=1, settings={})


@dataclass(frozen=True)
class PaperTable:
    """A table of the paper with our figures beside its own."""

    name: str  # name of its block in the README
    title: str
    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Plan:
    """All arms of a target and the profiles that choose among them.

    Args:
        arms: every arm, in the order of tables.
        profiles: by name.
        groups: title -> arms to show in one figure.
        computed: arm -> "module:function" for anything other than training one network; the
            function takes no arguments and returns metrics, or a map from seed to metrics.
        sweeps: name -> file in configs/<target>/: a search whose trials are arms, named by
            `moebench.sweeps.points`.
        drawings: "module:function" that takes the records and returns the paper's own figures as
            `moebench.report.Drawing`s; empty: none.
        tables: "module:function" that takes the records and returns `PaperTable`s; empty: none.
        seeds_in_a_run: number of seeds -> settings, if one run trains them all side by side; None:
            each seed is a separate run.
        beside: arm that judges no claim -> the purpose of its runs, such as a row of a table.
        moved: module, package or class of this paper -> its name in the committed records, if that
            differs.
    """

    arms: Sequence[Arm]
    profiles: Sequence[Profile]
    groups: Mapping[str, Sequence[str]]
    computed: Mapping[str, str] = field(default_factory=dict)
    sweeps: Mapping[str, str] = field(default_factory=dict)
    drawings: str = ""
    tables: str = ""
    seeds_in_a_run: Callable[[int], Mapping[str, object]] | None = None
    beside: Mapping[str, str] = field(default_factory=dict)
    moved: Mapping[str, str] = field(default_factory=dict)

    def arm(self, name: str) -> Arm:
        """Return the arm of that name, or raise a ValueError that names the nearest."""
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise ValueError(f"arm={name}: unknown; {nearest(name, [a.name for a in self.arms])}")

    def profile(self, name: str) -> Profile:
        """Return the profile of that name, or raise a ValueError that names the nearest."""
        for profile in self.profiles:
            if profile.name == name:
                return profile
        known = nearest(name, [profile.name for profile in self.profiles])
        raise ValueError(f"profile={name}: unknown; {known}")

    def whole(self, profile: Profile) -> list[str]:
        """Return everything that a profile runs: trained arms, computed arms and sweeps."""
        computed = self.computed if profile.computed is None else profile.computed
        return [*profile.arms, *computed, *profile.sweeps]

    def runs(self, profile: Profile, arm: str) -> bool:
        """Say whether a profile runs an arm, which may also be a sweep or one of its points."""
        return arm in self.whole(profile) or arm.partition("/")[0] in profile.sweeps
