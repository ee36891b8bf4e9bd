"""A claim in five sentences, from verdicts and records written by hand."""

from typing import Any

import pytest

from moebench.papers.claim import VerdictLabel
from moebench.report.paper.story import story

from .fakes import claim, record, verdict

RUNS = [record("switch", tokens=4_000_000), record("dense"), record("another", tokens=7)]
LEAD = {"says": "a is lower than b", "state": "holds", "choice": "", "remark": ""}
SIDE = {"says": "a drops nothing", "state": "open", "choice": "", "remark": ""}


def told(word: VerdictLabel = VerdictLabel.REPRODUCED, **changes: Any) -> dict[str, str]:
    return story(verdict(claim("A"), word, **{"p": 0.01, "conditions": [LEAD], **changes}), RUNS)


def test_a_claim_is_told_in_five_sentences() -> None:
    controls = {"An": "null control passed", "Ap": "positive control undecided"}
    assert told(controls=controls) == {
        "Claimed": "Statement A & more. (A; table 1)",
        "Seen here": "This is reproduced: we measured −0.123 nats at equal active FLOPs a token, "
        "95% interval [−0.150, −0.097].",
        "How sure": "It rests on 3 seeds; of 100 such intervals, about 95 contain the true value; "
        "the null control passed (An) and the positive control is undecided (Ap).",
        "At what size": "The models have 1.00 M active parameters, trained on 400 to 4.00 M tokens;"
        " larger ones may differ.",
        "What would change it": "New runs without an effect that is large enough to count, or a "
        "failed control.",
    }


def test_a_ratio_is_called_one_and_a_remark_explains_a_refutation() -> None:
    small = {**LEAD, "remark": "present, but too small to count"}
    refuted = told(VerdictLabel.NOT_REPRODUCED, unit="ratio of steps", conditions=[small])
    assert refuted["Seen here"] == (
        "This is not reproduced: we measured a ratio of steps of −0.123 at equal active FLOPs a "
        "token, 95% interval [−0.150, −0.097] (present, but too small to count)."
    )
    assert "at another size" in refuted["What would change it"]


@pytest.mark.parametrize(
    ("changes", "change"),
    [
        ({"power": {"detectable_effect": 0.1, "seeds_needed": 12}}, "It takes 12 seeds to decide"),
        ({"power": {"detectable_effect": 0.1, "seeds_needed": 3}}, "It takes more runs to decide"),
        ({"controls": {"An": "null control failed"}}, "A control that passes"),
    ],
)
def test_what_is_open_says_what_it_lacks(changes: dict[str, Any], change: str) -> None:
    assert change in told(VerdictLabel.INCONCLUSIVE, **changes)["What would change it"]


def test_a_partial_verdict_names_what_does_not_hold() -> None:
    part = told(VerdictLabel.PARTIAL, conditions=[LEAD, {**SIDE, "state": "holds"}, SIDE])
    assert part["What would change it"].endswith("if this held, too: a drops nothing.")
    chosen = [{**LEAD, "choice": "coding b"}, {**SIDE, "choice": "coding c"}]
    hangs = told(VerdictLabel.PARTIAL, conditions=chosen)
    assert "every choice left open by the paper" in hangs["What would change it"]


def test_few_runs_and_a_missing_control_are_said() -> None:
    sure = told(preliminary=True, uncontrolled="none is known")["How sure"]
    assert "3 seeds, fewer than the 5 it asks for" in sure
    assert sure.endswith("it has no control: none is known.")


def test_an_effect_without_an_interval_explains_none() -> None:
    flat = told(low=-0.1234, high=-0.1234, effect=-0.1234)
    assert "interval" not in flat["Seen here"] + flat["How sure"]


def test_a_computation_has_no_chance_and_no_size() -> None:
    computed = told(p=None, n=1, costs={}, low=-0.1234, high=-0.1234)
    assert computed["How sure"] == "It is computed, with nothing left to chance."
    assert computed["At what size"] == "It does not depend on the size of any model."
    assert "another reading of the paper" in computed["What would change it"]
    assert told(costs={})["At what size"] == "Its records hold no sizes."


def test_what_was_not_judged_says_why() -> None:
    assert told(VerdictLabel.NOT_IMPLEMENTED) == {
        "Claimed": "Statement A & more. (A; table 1)",
        "Not judged": "Because of A.",
    }
