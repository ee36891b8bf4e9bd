"""Checks on a paper when it is loaded, before any training; each failure is one line."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import fields

from moebench.papers.claim import KINDS, Claim, ClaimTest, Paper
from moebench.papers.dispute import check_sides
from moebench.papers.nearest import nearest
from moebench.papers.plan import Plan
from moebench.papers.target import Target


def check(claims: Sequence[Claim], plan: Plan) -> None:
    """Check the claims of one paper.

    Raises:
        ValueError: if two claims share an id, the plan lacks an arm, a control is not judged by the
            test of its claim, or a claim judged from training lacks a control without saying why,
            or says why and has both.
    """
    if twice := _twice(claim.key for claim in claims):
        raise ValueError(f"claim {twice}: another claim of the paper has the same id")
    by_key = {claim.key: claim for claim in claims}
    for claim in claims:
        if not claim.runs_of:
            _check_arms(claim, plan)
        if claim.control_of:
            _check_control(claim, by_key.get(claim.control_of))
        elif claim.trained or _of_trained_arms(claim, plan):
            _check_controlled(claim, claims)


def check_headline(paper: Paper, claims: Sequence[Claim]) -> None:
    """Check that the claim which a paper's page tells first is one of its claims, and no control.

    Raises:
        ValueError: if it is not.
    """
    told = [claim.key for claim in claims if not claim.control_of]
    if paper.headline and paper.headline not in told:
        where = f"PAPER.headline={paper.headline}"
        raise ValueError(f"{where}: no claim of the paper; {nearest(paper.headline, told)}")


def check_against_others(
    found: Target, before: Sequence[Target], everything: Sequence[Target]
) -> None:
    """Check a paper against the others.

    Args:
        found: the paper.
        before: the papers before it, from which its name and ids must differ.
        everything: all papers, whose runs may judge its claims, and whose claims its disputes may
            name; empty if some failed to load, so that those of an unknown paper are not refused.

    Raises:
        ValueError: if another paper has the name or an id, if a claim is judged by the runs of a
            paper or an arm that does not exist, or if a dispute names a claim that no paper has.
    """
    for other in before:
        if found.name == other.name:
            raise ValueError(f"PAPER.name={found.name}: {other.folder} has the same name")
        if both := {one.key for one in found.claims} & {one.key for one in other.claims}:
            raise ValueError(f"claim {min(both)}: a claim of {other.folder} has the same id")
    by_name = {name: one for one in everything for name in (one.name, one.folder)}
    for claim in found.claims:
        if claim.runs_of in by_name:
            _check_arms(claim, by_name[claim.runs_of].plan)
        elif claim.runs_of and everything:
            known = nearest(claim.runs_of, [one.name for one in everything])
            raise ValueError(f"claim {claim.key}: runs_of={claim.runs_of}: unknown target; {known}")
    if everything:
        check_sides(found.disputes, [claim.key for one in everything for claim in one.claims])


def _twice(keys: Iterable[str]) -> str:
    """Return a key that occurs twice; empty if none does."""
    return next((key for key, count in Counter(keys).items() if count > 1), "")


def _check_arms(claim: Claim, plan: Plan) -> None:
    """Check that the plan has every arm: trained, computed, or a sweep or one of its points."""
    known = [*(arm.name for arm in plan.arms), *plan.computed, *plan.sweeps]
    for arm in claim.arms:
        if arm not in known and arm.partition("/")[0] not in plan.sweeps:
            where = f"claim {claim.key}: arm={arm}"
            raise ValueError(f"{where}: not in the plan; {nearest(arm, known)}")


def _check_control(control: Claim, claim: Claim | None) -> None:
    """Check that a control's claim exists and that both are judged by the same test."""
    where = f"claim {control.key}: control_of={control.control_of}"
    if claim is None:
        raise ValueError(f"{where}: no claim of this paper")
    if claim.control_of:
        raise ValueError(f"{where}: that claim is itself a control")
    if control.test is None:
        return  # it says why it cannot be run
    if type(control.test) is not type(claim.test):
        kind = type(claim.test).__name__ if claim.test else "no test"
        raise ValueError(f"{where}: judged by {type(control.test).__name__}, the claim by {kind}")
    theirs = _asked(claim.test)
    for name, ours in _asked(control.test).items():
        if ours != theirs.get(name, ours):
            raise ValueError(f"{where}: judged with {name}={ours}, the claim with {theirs[name]}")


def _asked(test: ClaimTest) -> dict[str, str | float]:
    """Return the words and numbers in the fields of a test; controls differ in the arms alone."""
    values = {one.name: getattr(test, one.name) for one in fields(test)}
    return {
        name: value
        for name, value in values.items()
        if isinstance(value, str | int | float) and value not in test.arms
    }


def _check_controlled(claim: Claim, claims: Sequence[Claim]) -> None:
    """Check that a claim has both kinds of control, or says why not."""
    there = {one.expects for one in claims if one.control_of == claim.key}
    lacking = [name for expects, name in KINDS.items() if expects not in there]
    if lacking and not claim.uncontrolled:
        raise ValueError(
            f"claim {claim.key}: has no {' and no '.join(lacking)} control; say why in"
            " `uncontrolled`"
        )
    if claim.uncontrolled and not lacking:
        raise ValueError(f"claim {claim.key}: has both controls, so drop `uncontrolled`")


def _of_trained_arms(claim: Claim, plan: Plan) -> bool:
    """Say whether the plan trains any arm of a claim, whatever the claim's level."""
    trained = {*(arm.name for arm in plan.arms), *plan.sweeps}
    return not claim.runs_of and any(arm.partition("/")[0] in trained for arm in claim.arms)
