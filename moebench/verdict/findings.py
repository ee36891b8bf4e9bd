"""What a test hands back: the condition a claim is about, what else it says, and figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from moebench.verdict.conditions import LEVEL, Condition, State


@dataclass(frozen=True)
class Findings:
    """The conditions of one claim, judged one by one.

    Args:
        lead: what the claim is about; it alone can refute the claim.
        sides: what the claim says besides; a side that does not hold weakens the verdict.
        choices: the lead under each of several choices that the paper leaves open, if there are.
        notes: arm -> figures to be printed beside it.
        remark: a clause for the sentence that says why.
    """

    lead: Condition
    sides: Sequence[Condition] = ()
    choices: Sequence[Condition] = ()
    notes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    remark: str = ""

    @property
    def conditions(self) -> list[Condition]:
        """All conditions, as they are printed: the lead, or its choices, then the sides."""
        return [*(self.choices or [self.lead]), *self.sides]

    @property
    def under_some(self) -> list[Condition]:
        """The choices under which the lead holds, by a p that counts all that were tried."""
        number = len(self.choices)
        found = [one for one in self.choices if one.state is State.HOLDS]
        return [one for one in found if one.p is None or number * one.p <= LEVEL]

    @property
    def p(self) -> float | None:
        """The p of what the verdict asserts; None where nothing is left to chance."""
        if self.lead.state is State.OPEN and self.under_some:
            p_values = [one.p for one in self.under_some if one.p is not None]
            return len(self.choices) * min(p_values) if p_values else None
        return self.lead.p_of_state if self.lead.enough else None


def under_choices(says: str, choices: Sequence[Condition]) -> tuple[Condition, list[Condition]]:
    """Return the lead of a claim that is judged under several choices, and the choices.

    The claim as the paper makes it holds under a choice that the paper does not name: it is borne
    out if it holds under all, refuted if it is refuted under all, and else hangs on the choice. Its
    numbers are those of one choice: where all agree, of the one nearest to saying otherwise, else
    of the one that bears the claim out best.
    """
    states = {choice.state for choice in choices}
    agree = len(states) == 1
    state = states.pop() if agree else State.OPEN
    if agree:
        shown = max(choices, key=lambda one: one.p_of_state or 0.0)
    else:
        shown = min(choices, key=lambda one: (one.state is not State.HOLDS, one.p or 0.0))
    p_values = [choice.p for choice in choices if choice.p is not None]
    refuted = [choice.p_refuted for choice in choices if choice.p_refuted is not None]
    lead = replace(
        shown,
        says=says,
        state=state,
        p=max(p_values) if p_values else None,
        p_refuted=max(refuted) if refuted else None,
        power=shown.power if agree else None,
    )
    return lead, list(choices)
