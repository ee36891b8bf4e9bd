"""The papers with runs for a GPU: all whose plans have the profile `gpu`."""

from collections.abc import Sequence
from dataclasses import replace

from moebench.papers import Target, targets
from moebench.papers.plan import Profile

PROFILE, SMALL = "gpu", "smoke"


def papers() -> Sequence[Target]:
    """Return them in the order of `moebench list`."""
    return [found for found in targets() if any(p.name == PROFILE for p in found.plan.profiles)]


def with_a_twin(small: bool) -> Sequence[Target]:
    """Return those that train a mixture and its dense twin; in the small test, one of them."""
    found = [one for one in papers() if mixture_with_a_twin(one, small)]
    return found[:1] if small else found


def mixture_with_a_twin(found: Target, small: bool) -> str:
    """Return the first mixture of a paper that has a dense twin in the profile; empty if none."""
    arms = map(found.plan.arm, profile_of(found, small).arms)
    return next((arm.twin_of for arm in arms if arm.twin_of), "")


def profile_of(found: Target, small: bool) -> Profile:
    """Return the profile whose runs are made; in the small test, one that judges nothing."""
    if small:
        return replace(found.plan.profile(SMALL), seeds=1, more_seeds={})
    return found.plan.profile(PROFILE)


def on_device(small: bool) -> dict[str, object]:
    """Return the settings that keep an experiment of the small test off the GPU."""
    return {"trainer.accelerator": "cpu"} if small else {}
