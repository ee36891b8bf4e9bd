"""The controls of the claims about routing, each judged by the test of its claim.

Most use known routing, constructed rather than trained (known_routing.py). The others were trained
in a world of independent draws, where text order cannot make neighbours share experts.
"""

from typing import Any, Literal

from moebench.papers.claim import Claim, ClaimTest
from reproductions.mixtral_2024.judging import (
    DomainTellsLittle,
    NeighboursTogether,
    TokenOverDomain,
)

ROUTING = "reproductions.mixtral_2024.known_routing"
KNOWN = {f"known_{name}": f"{ROUTING}:{name}" for name in ("neighbours", "token", "domain")}
NEIGHBOURS, TOKEN, DOMAIN = KNOWN
NULL = "uniform"
# What the tests of a claim and its controls share: everything but the arm.
FIRST: dict[str, Any] = {
    "metric": "repeats_excess",
    "disordered": "repeats_disordered",
    "margin": 5.0,
    "last": 5.0,
    "first_within": 2.0,
}
EITHER: dict[str, Any] = {
    **FIRST,
    "metric": "overlap_excess",
    "disordered": "overlap_disordered",
    "last": 0.0,  # in the paper it is there in most domains, but not in all
}
LITTLE: dict[str, Any] = {
    "metric": "domain_nmi",
    "token": "token_nmi",
    "below": 0.05,
    "token_above": 0.2,
}
OVER: dict[str, Any] = {"metric": "token_information", "domain": "domain_given_token"}
KEYS = {"effect": "p", "no effect": "n"}  # what a control expects -> the end of its key
TRAINED: dict[str, Any] = {"source": "none; independent draws", "level": "scaled-cpu"}


def control(
    of: str, expects: Literal["effect", "no effect"], says: str, test: ClaimTest, **fields: Any
) -> Claim:
    """Return a control of the claim `of`; by default one with known routing."""
    known = {"source": "none; known routing", "level": "mechanism-cpu"}
    common: dict[str, Any] = {"paper_values": {}, "matched_on": None, **known, **fields}
    key = of + KEYS[expects]
    return Claim(key=key, says=says, control_of=of, expects=expects, test=test, **common)


CONTROLS = [
    control(
        "MX24-02d",
        "effect",
        "If experts depend only on the token, they hardly depend on the language",
        DomainTellsLittle(arm=TOKEN, **LITTLE),
    ),
    control(
        "MX24-02d",
        "no effect",
        "If experts depend only on the domain, they hardly depend on it",
        DomainTellsLittle(arm=DOMAIN, **LITTLE),
    ),
    control(
        "MX24-03",
        "effect",
        "If neighbours share experts in all layers but the first, they have the same first expert "
        "more often than in random order",
        NeighboursTogether(arm=NEIGHBOURS, **FIRST),
    ),
    control(
        "MX24-03",
        "no effect",
        "If all tokens are independent draws, consecutive ones have the same first expert more "
        "often than in random order",
        NeighboursTogether(arm=NULL, **FIRST),
        version=3,  # judged by the test of MX24-03, and restated like MX24-04n
        **TRAINED,
    ),
    control(
        "MX24-04",
        "effect",
        "If neighbours share experts in all layers but the first, they share one of their two "
        "experts more often than in random order",
        NeighboursTogether(arm=NEIGHBOURS, **EITHER),
    ),
    control(
        "MX24-04",
        "no effect",
        "If all tokens are independent draws, consecutive ones share one of their two experts more "
        "often than in random order",
        NeighboursTogether(arm=NULL, **EITHER),
        version=2,  # version 1 stated that there is no effect, which is what it expects
        late=True,
        **TRAINED,
    ),
    control(
        "MX24-05",
        "effect",
        "If experts depend only on the token, the token says more about them than the domain does",
        TokenOverDomain(arm=TOKEN, **OVER),
    ),
    control(
        "MX24-05",
        "no effect",
        "If experts depend only on the domain, the token says more about them than the domain does",
        TokenOverDomain(arm=DOMAIN, **OVER),
    ),
]
