"""What there is to use: targets with their claims, and the parts by the key they may stand at."""

import inspect

from moebench.claims import KINDS, Claim
from moebench.experiment.families import FAMILIES
from moebench.targets import left_out, targets


def listing() -> str:
    """Return targets, claims and parts as text, one line each."""
    lines = []
    for found in targets():
        profiles = ", ".join(profile.name for profile in found.plan.profiles)
        lines.append(f"{found.name}: {found.paper.authors} {found.paper.year}, {found.paper.title}")
        lines.append(f"  make reproduce-{found.name} PROFILE={{{profiles}}}")
        lines += [f"  {claim.key}  {_kind(claim)}{claim.says}" for claim in found.claims]
    lines += [f"left out: reproductions/{name}: {why}" for name, why in left_out().items()]
    for key, parts in FAMILIES.items():
        lines.append(f"{key}:")
        for part in parts.values():
            first_line = (inspect.getdoc(part) or "").splitlines()[0]
            lines.append(f"  {part.__name__:14} {first_line}")
    return "\n".join(lines)


def _kind(claim: Claim) -> str:
    """Say what a claim is that is no statement of the paper."""
    if claim.control_of:
        return f"[{KINDS[claim.expects]} control of {claim.control_of}] "
    return "[ours] " if claim.ours else ""
