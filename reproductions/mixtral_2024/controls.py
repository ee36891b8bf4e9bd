"""The controls of what is claimed of routing, by the tests of their claims.

Routing that is known is made, not trained (known_routing.py); a world of independent draws, in
which no order can bring neighbours together, was trained.
"""

from typing import Any

from moebench.papers.claim import Claim
from reproductions.mixtral_2024.judging import (
    DomainTellsLittle,
    NeighboursTogether,
    TokenOverDomain,
)

ROUTING = "reproductions.mixtral_2024.known_routing"
KNOWN = {f"known_{name}": f"{ROUTING}:{name}" for name in ("neighbours", "token", "domain")}
NEIGHBOURS, TOKEN, DOMAIN = KNOWN
NULL = "uniform"
# What the tests of claims and controls have in common, but for the arm.
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
    "last": 0.0,  # the paper has it there in most domains, not in all
}
LITTLE: dict[str, Any] = {
    "metric": "domain_nmi",
    "token": "token_nmi",
    "below": 0.05,
    "token_above": 0.2,
}
OVER: dict[str, Any] = {"metric": "token_information", "domain": "domain_given_token"}
OF: dict[str, Any] = {"source": "none", "paper_values": {}, "matched_on": None}
OF_KNOWN: dict[str, Any] = {**OF, "source": "none; routing that is known", "level": "mechanism-cpu"}

CONTROLS = [
    Claim(
        key="MX24-02dp",
        says="Experts that follow the token alone hardly depend on the language",
        control_of="MX24-02d",
        expects="effect",
        test=DomainTellsLittle(arm=TOKEN, **LITTLE),
        **OF_KNOWN,
    ),
    Claim(
        key="MX24-02dn",
        says="Experts that follow the domain alone hardly depend on it",
        control_of="MX24-02d",
        expects="no effect",
        test=DomainTellsLittle(arm=DOMAIN, **LITTLE),
        **OF_KNOWN,
    ),
    Claim(
        key="MX24-03p",
        says="Where neighbours go together in all layers but the first, they have the same first "
        "expert more often than in random order",
        control_of="MX24-03",
        expects="effect",
        test=NeighboursTogether(arm=NEIGHBOURS, **FIRST),
        **OF_KNOWN,
    ),
    Claim(
        key="MX24-03n",
        version=3,  # by the test of MX24-03, and as MX24-04n
        says="Where every token is drawn by itself, consecutive ones have the same first expert "
        "more often than in random order",
        control_of="MX24-03",
        expects="no effect",
        test=NeighboursTogether(arm=NULL, **FIRST),
        **OF,
    ),
    Claim(
        key="MX24-04p",
        says="Where neighbours go together in all layers but the first, they share one of their "
        "two experts more often than in random order",
        control_of="MX24-04",
        expects="effect",
        test=NeighboursTogether(arm=NEIGHBOURS, **EITHER),
        **OF_KNOWN,
    ),
    Claim(
        key="MX24-04n",
        version=2,  # version 1 stated that there is no effect, which is what it expects
        late=True,
        says="Where every token is drawn by itself, consecutive ones share one of their two "
        "experts more often than in random order",
        control_of="MX24-04",
        expects="no effect",
        test=NeighboursTogether(arm=NULL, **EITHER),
        **OF,
    ),
    Claim(
        key="MX24-05p",
        says="Of experts that follow the token alone, the token says more than the domain does",
        control_of="MX24-05",
        expects="effect",
        test=TokenOverDomain(arm=TOKEN, **OVER),
        **OF_KNOWN,
    ),
    Claim(
        key="MX24-05n",
        says="Of experts that follow the domain alone, the token says more than the domain does",
        control_of="MX24-05",
        expects="no effect",
        test=TokenOverDomain(arm=DOMAIN, **OVER),
        **OF_KNOWN,
    ),
]
