"""What is refused of a paper when it is loaded, before anything is trained, in one line each."""

from collections import Counter
from collections.abc import Iterable, Sequence

from moebench.papers.claim import KINDS, Claim
from moebench.papers.nearest import nearest
from moebench.papers.plan import Plan
from moebench.papers.target import Target

SHARED = ("metric", "margin")  # what a test of a control has in common with that of its claim


def check(claims: Sequence[Claim], plan: Plan) -> None:
    """Check the claims of one paper.

    Raises:
        ValueError: for two claims of one id, an arm that the plan does not have, a control that
            is not judged by the test of its claim, or a claim judged from training that lacks a
            control and does not say why, or says why and lacks none.
    """
    if twice := _twice(claim.key for claim in claims):
        raise ValueError(f"claim {twice}: its id is that of another claim of the paper")
    by_key = {claim.key: claim for claim in claims}
    for claim in claims:
        if not claim.runs_of:
            _check_arms(claim, plan)
        if claim.control_of:
            _check_control(claim, by_key.get(claim.control_of))
        elif claim.trained or _of_trained_arms(claim, plan):
            _check_controlled(claim, claims)


def check_beside(found: Target, before: Sequence[Target], everything: Sequence[Target]) -> None:
    """Check a paper beside the others.

    Args:
        found: the paper.
        before: the papers that stand before it, of which it must differ in name and ids.
        everything: all papers, one of which may have the runs that judge a claim; empty: not all
            are known, and runs of an unknown paper are not refused.

    Raises:
        ValueError: for a name or an id that another paper has, or for runs of a paper that there
            is not, or that do not exist there.
    """
    for other in before:
        if found.name == other.name:
            raise ValueError(f"PAPER.name={found.name}: is that of {other.folder}, too")
        if both := {one.key for one in found.claims} & {one.key for one in other.claims}:
            raise ValueError(f"claim {min(both)}: its id is that of a claim of {other.folder}, too")
    by_name = {name: one for one in everything for name in (one.name, one.folder)}
    for claim in found.claims:
        if claim.runs_of in by_name:
            _check_arms(claim, by_name[claim.runs_of].plan)
        elif claim.runs_of and everything:
            known = nearest(claim.runs_of, [one.name for one in everything])
            raise ValueError(f"claim {claim.key}: runs_of={claim.runs_of}: unknown target; {known}")


def _twice(keys: Iterable[str]) -> str:
    """Return a key that is there twice; empty if none is."""
    return next((key for key, count in Counter(keys).items() if count > 1), "")


def _check_arms(claim: Claim, plan: Plan) -> None:
    """Check that the plan has every arm: trained, computed, or a sweep or a point of one."""
    known = [*(arm.name for arm in plan.arms), *plan.computed, *plan.sweeps]
    for arm in claim.arms:
        if arm not in known and arm.partition("/")[0] not in plan.sweeps:
            where = f"claim {claim.key}: arm={arm}"
            raise ValueError(f"{where}: the plan has none of that name; {nearest(arm, known)}")


def _check_control(control: Claim, claim: Claim | None) -> None:
    """Check that a control is judged by the test of its claim, and that there is one."""
    where = f"claim {control.key}: control_of={control.control_of}"
    if claim is None:
        raise ValueError(f"{where}: no claim of this paper")
    if claim.control_of:
        raise ValueError(f"{where}: is a control itself")
    if control.test is None:
        return  # it says why it cannot be run
    if type(control.test) is not type(claim.test):
        kind = type(claim.test).__name__ if claim.test else "no test"
        raise ValueError(f"{where}: judged by {type(control.test).__name__}, the claim by {kind}")
    for name in SHARED:
        ours, theirs = getattr(control.test, name), getattr(claim.test, name)
        if ours != theirs:
            raise ValueError(f"{where}: judged with {name}={ours}, the claim with {theirs}")


def _check_controlled(claim: Claim, claims: Sequence[Claim]) -> None:
    """Check that a claim has a control of both kinds, or says why not."""
    there = {one.expects for one in claims if one.control_of == claim.key}
    lacking = [name for expects, name in KINDS.items() if expects not in there]
    if lacking and not claim.uncontrolled:
        raise ValueError(
            f"claim {claim.key}: has no {' and no '.join(lacking)} control; say in `uncontrolled`"
            " why"
        )
    if claim.uncontrolled and not lacking:
        raise ValueError(f"claim {claim.key}: has both controls, and `uncontrolled` says why not")


def _of_trained_arms(claim: Claim, plan: Plan) -> bool:
    """Tell a claim whose arms are trained by the plan, at whatever level it is said to be."""
    trained = {*(arm.name for arm in plan.arms), *plan.sweeps}
    return not claim.runs_of and any(arm.partition("/")[0] in trained for arm in claim.arms)
