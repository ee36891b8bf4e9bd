"""What a test hands back: conditions, the leading one first, and figures worth printing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from moebench.statistics import at_least_p
from moebench.verdict.conditions import EXACT, Condition, State


@dataclass(frozen=True)
class Findings:
    """The conditions of one claim, judged one by one; the first is the one the claim is about."""

    conditions: Sequence[Condition]
    notes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # arm -> figures
    remark: str = ""  # a clause for the sentence that says why

    @property
    def lead(self) -> Condition:
        """The condition whose effect is the effect of the claim."""
        return self.conditions[0]

    @property
    def holding(self) -> int:
        """How many conditions hold."""
        return sum(condition.state is State.HOLDS for condition in self.conditions)

    @property
    def enough(self) -> bool:
        """Whether the leading condition rests on a computed number or on two seeds or more."""
        return self.lead.effect.method == EXACT or self.lead.effect.n > 1

    @property
    def p(self) -> float | None:
        """The p of what a verdict would assert: that as many conditions are true as hold here.

        With none holding, that all are true. None where no condition is a test or `enough` is
        false.
        """
        tests = [condition for condition in self.conditions if condition.p is not None]
        if not tests or not self.enough:
            return None
        holding = sum(condition.state is State.HOLDS for condition in tests)
        values = [condition.p for condition in tests if condition.p is not None]
        return at_least_p(values, holding or len(tests))
