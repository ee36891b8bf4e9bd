"""Which runs come first: those that complete another claim with the fewest runs."""

from collections.abc import Collection, Iterator, Sequence

from moebench.papers.claim import Claim
from moebench.papers.plan import Profile

Run = tuple[str, int]  # arm, seed


def in_order(profile: Profile, claims: Sequence[Claim], done: Collection[Run] = ()) -> list[Run]:
    """Return the runs of a profile still to be made, the most valuable first.

    Repeatedly takes the claim that lacks the fewest runs. All of its arms get the first seed, then
    the next, because arms are compared by seed. Seeds beyond those that claims ask for, and arms
    that no claim needs, come last.
    """
    made = set(done)
    ordered: list[Run] = []
    open_claims = [claim for claim in claims if _judged_by(claim, profile)]
    while open_claims:
        lacking = {claim.key: _lacking(claim, profile, made) for claim in open_claims}
        nearest = min(open_claims, key=lambda claim: len(lacking[claim.key]))
        ordered += lacking[nearest.key]
        made |= set(lacking[nearest.key])
        open_claims.remove(nearest)
    return ordered + [run for run in _runs(profile, profile.arms, None) if run not in made]


def _judged_by(claim: Claim, profile: Profile) -> bool:
    """Say whether the runs of a profile suffice to judge a claim."""
    trained = [arm for arm in claim.arms if arm in profile.arms]
    return bool(trained) and not claim.runs_of and len(trained) == len(claim.arms)


def _lacking(claim: Claim, profile: Profile, made: Collection[Run]) -> list[Run]:
    """Return the runs that a claim still lacks."""
    return [run for run in _runs(profile, claim.arms, claim.seeds) if run not in made]


def _runs(profile: Profile, arms: Sequence[str], most: int | None) -> Iterator[Run]:
    """Yield all arms with the first seed, then with the next, up to a number of seeds."""
    counts = {arm: profile.seeds_of(arm) for arm in arms}
    for number in range(max(counts.values(), default=0)):
        for arm, count in counts.items():
            if number < (count if most is None else min(count, most)):
                yield arm, profile.first_seed + number
