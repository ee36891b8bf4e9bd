"""The arms of a sweep: its trials, and the dense models beside them."""

from dataclasses import dataclass, replace

from moebench.papers.plan import MatchedOn


@dataclass(frozen=True)
class TrialArm:
    """A trial.

    Args:
        number: of the trial in its study.
    """

    number: int

    @property
    def name(self) -> str:
        """What its records and its folder are called."""
        return f"trial_{self.number}"


@dataclass(frozen=True)
class DenseArm:
    """A dense model of the same cost as a mixture.

    Args:
        matched_on: the cost.
        point: number of the tuning point that it stands at; None: at none of them.
        tuned: whether it stands at the best of them.
        twin_of: number of the trial whose twin it is; None: that of the base experiment.
    """

    matched_on: MatchedOn
    point: int | None = None
    tuned: bool = False
    twin_of: int | None = None

    @property
    def again(self) -> "DenseArm":
        """The same model where it is run again, with fresh seeds as well."""
        return replace(self, point=None, tuned=self.point is not None)

    @property
    def name(self) -> str:
        """What its records and its folder are called."""
        point = "" if self.point is None else f".tuning_{self.point}"
        tuned = "_tuned" if self.tuned else ""
        twin = "" if self.twin_of is None else f"_of_trial_{self.twin_of}"
        return f"dense_{self.matched_on}{point}{tuned}{twin}"


Arm = TrialArm | DenseArm
