"""What a test returns: the claim's leading condition, its side conditions and figures to print."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from moebench.verdict.conditions import LEVEL, Condition, State, all_of, any_of


@dataclass(frozen=True)
class Findings:
    """The conditions of one claim, each judged.

    Args:
        lead: what the claim is about; it alone can refute the claim.
        sides: what else the claim says; one that does not hold weakens the verdict.
        choices: the lead under each choice that the paper leaves open, if there are any.
        notes: arm -> figures to print beside it.
        remark: a clause to add to the explanation.
        caution: a warning to print beside the verdict, for example about what the records lack.
    """

    lead: Condition
    sides: Sequence[Condition] = ()
    choices: Sequence[Condition] = ()
    notes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    remark: str = ""
    caution: str = ""

    @property
    def conditions(self) -> list[Condition]:
        """All conditions in printing order: the lead or its choices, then the sides."""
        return [*(self.choices or [self.lead]), *self.sides]

    @property
    def under_some(self) -> list[Condition]:
        """The choices under which the lead holds, by a p corrected for the number of choices."""
        number = len(self.choices)
        found = [one for one in self.choices if one.enough and one.state is State.HOLDS]
        return [one for one in found if one.p is None or number * one.p <= LEVEL]

    @property
    def p(self) -> float | None:
        """The p of what the verdict asserts; None if nothing is left to chance."""
        return self.lead.p_of_state if self.lead.enough else None


def under_choices(says: str, choices: Sequence[Condition]) -> tuple[Condition, list[Condition]]:
    """Return the lead of a claim that is judged under several choices, and those choices.

    The paper does not say which choice its claim was made under. So the claim is reproduced if it
    holds under all of them, refuted if it is refuted under all, and otherwise depends on the
    choice. Its numbers belong to the choice that has its p: the one closest to failing if all hold,
    otherwise the one closest to holding.
    """
    states = {choice.state for choice in choices}
    together = all_of if states == {State.HOLDS} else any_of
    lead = together(says, choices)
    if len(states) > 1:  # more seeds would not settle what depends on a choice
        lead = replace(lead, state=State.OPEN, sd=None)
    return replace(lead, says=says), list(choices)
