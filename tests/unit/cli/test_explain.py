"""What an explanation says of the costs of arms that should be equal."""

from types import SimpleNamespace
from typing import Any

from moebench.cli.explain.arm_groups import Family
from moebench.cli.explain.cost_tables import costs
from moebench.testing.verdicts import claim_of
from moebench.verdict.comparisons import Difference


def test_a_ratio_is_that_of_the_first_arm_to_the_second() -> None:
    """Twice the FLOPs of the second are x2.000, and not x0.500."""
    cost = {"runs": 5, "params_total": 10.0, "seconds_per_step": 1.0}
    measured = {
        "dear": {**cost, "flops_per_token": 200.0},
        "cheap": {**cost, "flops_per_token": 100.0},
    }
    claim = claim_of(Difference(first="dear", second="cheap"), matched_on="active_flops")
    case: Any = SimpleNamespace(
        claim=claim,
        families=[Family(name, (name,)) for name in measured],
        verdict=SimpleNamespace(costs=measured),
    )
    assert "dear / cheap  x2.000 in FLOPs, NOT EQUAL (within 5%)" in "\n".join(costs(case))
