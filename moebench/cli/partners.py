"""Which dense arm a mixture is compared with, as MLflow shows it."""

from moebench import tracking
from moebench.papers import Target


def partners(target: Target) -> dict[str, tracking.Partner]:
    """Return the dense arm that each arm is compared with: its own twin, or the first one."""
    twins = {
        arm.twin_of: tracking.Partner(arm.name, arm.matched_on)
        for arm in target.plan.arms
        if arm.twin_of
    }
    first = list(twins.values())[:1]
    return {arm.name: twins.get(arm.name, *first) for arm in target.plan.arms} if first else {}
