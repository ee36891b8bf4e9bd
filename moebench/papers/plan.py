"""What a reproduction runs: arms, profiles, seeds. Data, like the claims they serve; no torch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from moebench.papers.nearest import nearest

MatchedOn = Literal["active_flops", "total_params", "step_time"]

# The costs that two arms may have in common, by their names in a record, and how far apart equals
# may lie: widths come in multiples of 16, and a measured time is never the same twice.
EQUAL = {"flops_per_token": 0.05, "params_total": 0.05, "seconds_per_step": 0.10}
NAMES = dict(zip(EQUAL, ("FLOPs", "parameters", "time"), strict=True))
MATCHED_COST: Mapping[str, str] = dict(
    zip(("active_flops", "total_params", "step_time"), EQUAL, strict=True)
)


@dataclass(frozen=True)
class Arm:
    """One side of a comparison: an experiment, run with several seeds.

    `settings` are configuration keys and values laid over the files. An arm with `twin_of` is the
    dense twin of that arm, built so that `matched_on` is equal.
    """

    name: str
    configs: Sequence[str]  # files of configs/<target>/, later ones over earlier ones
    settings: Mapping[str, object] = field(default_factory=dict)
    twin_of: str = ""
    matched_on: MatchedOn = "active_flops"


@dataclass(frozen=True)
class Profile:
    """How large the arms are run, and which of them."""

    name: str
    arms: Sequence[str]
    seeds: int  # how many, unless an arm has its own number below
    settings: Mapping[str, object]  # laid over every arm
    more_seeds: Mapping[str, int] = field(default_factory=dict)  # arm -> number of seeds
    arm_settings: Mapping[str, Mapping[str, object]] = field(default_factory=dict)  # over the arm's
    computed: Sequence[str] | None = None  # arms of Plan.computed; None: all
    first_seed: int = 0  # those before it are for trials, which no verdict may use
    sweeps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # name -> changes
    on_gpu: bool = False  # made for a GPU; without one it would take days

    def seeds_of(self, arm: str) -> int:
        """Return how many seeds this arm is run with."""
        return self.more_seeds.get(arm, self.seeds)


@dataclass(frozen=True)
class PaperTable:
    """A table of the paper, with our figures beside its own."""

    name: str  # of its block in the README
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
        groups: title -> arms that belong in one figure.
        computed: arm -> "module:function" of what is no training of one network; the function
            takes nothing and returns metrics, or a map from seed to metrics.
        sweeps: name -> file of configs/<target>/: a search whose trials are arms, by the names that
            `moebench.sweeps.points` gives them.
        drawings: "module:function" that takes the records and returns figures of this paper alone,
            `moebench.report.Drawing`s; empty: there are none.
        tables: "module:function" that takes the records and returns `PaperTable`s; empty: there
            are none.
        seeds_in_a_run: number of seeds -> settings, where one run trains them all side by side;
            None: a seed is a run of its own.
        beside: arm that no claim is judged by -> what it is run for: a row of a table, a figure.
        moved: module or package of this paper -> its name when the committed runs were made, where
            that was another.
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
        """Return the arm of that name; ValueError names the nearest there are."""
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise ValueError(f"arm={name}: unknown; {nearest(name, [a.name for a in self.arms])}")

    def profile(self, name: str) -> Profile:
        """Return the profile of that name; ValueError names the nearest there are."""
        for profile in self.profiles:
            if profile.name == name:
                return profile
        known = nearest(name, [profile.name for profile in self.profiles])
        raise ValueError(f"profile={name}: unknown; {known}")

    def whole(self, profile: Profile) -> list[str]:
        """Return all that a profile runs: arms that are trained, computed ones, sweeps."""
        computed = self.computed if profile.computed is None else profile.computed
        return [*profile.arms, *computed, *profile.sweeps]

    def runs(self, profile: Profile, arm: str) -> bool:
        """Say whether a profile runs an arm: trained, computed, or a sweep or a point of one."""
        return arm in self.whole(profile) or arm.partition("/")[0] in profile.sweeps
