"""What a test hands back: the condition a claim is about, what else it says, and figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from moebench.verdict.conditions import LEVEL, Condition, State, all_of, any_of


@dataclass(frozen=True)
class Findings:
    """The conditions of one claim, judged one by one.

    Args:
        lead: what the claim is about; it alone can refute the claim.
        sides: what the claim says besides; a side that does not hold weakens the verdict.
        choices: the lead under each of several choices that the paper leaves open, if there are.
        notes: arm -> figures to be printed beside it.
        remark: a clause for the sentence that says why.
        caution: to be known beside the word, as what the records at hand lack.
    """

    lead: Condition
    sides: Sequence[Condition] = ()
    choices: Sequence[Condition] = ()
    notes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    remark: str = ""
    caution: str = ""

    @property
    def conditions(self) -> list[Condition]:
        """All conditions, as they are printed: the lead, or its choices, then the sides."""
        return [*(self.choices or [self.lead]), *self.sides]

    @property
    def under_some(self) -> list[Condition]:
        """The choices under which the lead holds, by a p that counts all that were tried."""
        number = len(self.choices)
        found = [one for one in self.choices if one.enough and one.state is State.HOLDS]
        return [one for one in found if one.p is None or number * one.p <= LEVEL]

    @property
    def p(self) -> float | None:
        """The p of what the verdict asserts; None where nothing is left to chance."""
        return self.lead.p_of_state if self.lead.enough else None


def under_choices(says: str, choices: Sequence[Condition]) -> tuple[Condition, list[Condition]]:
    """Return the lead of a claim that is judged under several choices, and the choices.

    The claim as the paper makes it holds under a choice that the paper does not name: it is borne
    out if it holds under all, refuted if it is refuted under all, and else hangs on the choice. Its
    numbers are those that have its p: of the choice nearest to failing where it holds under all,
    else of the one nearest to holding.
    """
    states = {choice.state for choice in choices}
    together = all_of if states == {State.HOLDS} else any_of
    lead = together(says, choices)
    if len(states) > 1:  # more seeds would not settle what hangs on a choice
        lead = replace(lead, state=State.OPEN, sd=None)
    return replace(lead, says=says), list(choices)
