"""What is judged: one claim for each value of a hinge, which says that the first side is right.

The arms of a claim differ in what its question is about and in nothing else. Losses are in nats per
token; lower is better. The smallest effect that counts is 0.01 nats, as for other mixtures here.
"""

from typing import Any

from moebench.papers.claim import Claim
from moebench.verdict.comparisons import Difference
from reproductions.disputes.judging import FollowsDomains

# One or two experts a token. Rooms are the capacity, in shares of what is requested.
ONE, TWO, TWO_WIDE = "top1", "top2", "top2_wide"
ROOMS = (1.0, 1.25)
ONE_IN = {room: f"top1_room_{room:g}" for room in ROOMS}
TWO_IN = {room: f"top2_room_{room:g}" for room in ROOMS}
# The others, of which most are compared with one of these two.
HASH, EARLY = "hash", 200
EIGHT, SHARED_BESIDE = "top8", "shared_beside"
SHARED_OF_2, SHARED_OF_8 = "shared_of_2", "shared_of_8"
BY_BATCH, BY_SEQUENCE = "experts_choose", "experts_choose_in_sequence"
STEP, BATCH, SEQUENCE = "step", "batch", "sequence"
PURE_STEP, PURE_BATCH = "pure_step", "pure_batch"
NARROW, NULL = "top2_narrow", ("one_source_top2", "one_source_top1")
DOMAIN, TOKEN = "known_domain", "known_token"

COUNTS = 0.01
LITTLE = 0.05  # of what a domain could tell: Mixtral's claims call as much little
DOMAINS = 3  # of the text: Python, C++ and English
CONTROLLED = "the controls of DP1-03 use the same test and margin"
SEES_LATER = (
    "in training experts see later tokens when they choose; the loss is that of thresholds, which "
    "see the token alone, as that of the choice would be no loss of a model that generates"
)
HASHED = (
    "layers see no ids, so that a token's vector is hashed; that takes more FLOPs than the gate, "
    "and learns nothing by them"
)
OURS: dict[str, Any] = {"source": "none; a cell of a dispute", "paper_values": {}, "ours": True}


def better(key: str, says: str, first: str, second: str, **fields: Any) -> Claim:
    """Return the claim that the first arm has a lower loss, with ten seeds."""
    test = Difference(first=first, second=second, margin=COUNTS, **fields.pop("test", {}))
    given = {"matched_on": "active_flops", "seeds": 10, **OURS, **fields}
    if key != "DP1-03":  # which has controls of its own
        given |= {"uncontrolled": CONTROLLED}
    return Claim(key=key, says=says, test=test, **given)


def control(key: str, says: str, of: Claim, **fields: Any) -> Claim:
    """Return a control of a claim."""
    given = {"source": f"none; a control of {of.key}", "paper_values": {}, "control_of": of.key}
    return Claim(key=key, says=says, **{**given, **fields})


LOSS = [
    *(
        better(
            f"DP1-{number:02}",
            f"With room for {room} times the even share of the requests, two of 16 experts a "
            "token beat one of 8 of twice their width",
            TWO_IN[room],
            ONE_IN[room],
        )
        for number, room in enumerate(ROOMS, start=1)
    ),
    better(
        "DP1-03",
        "Without a capacity, two of 16 experts a token beat one of 8 of twice their width",
        TWO,
        ONE,
    ),
    better(
        "DP1-04",
        "Without a capacity, two experts a token beat one of the same 8, with more FLOPs",
        TWO_WIDE,
        ONE,
        matched_on="steps",
    ),
    better(
        "DP2-01",
        f"After {EARLY} steps, a learned gate of one expert a token beats a balanced hash",
        ONE,
        HASH,
        test={"metric": f"valid/loss@{EARLY}"},
        matched_on="steps",  # the directions of the hash, which learn nothing, add FLOPs
        caution=HASHED,
    ),
    better(
        "DP2-02",
        "At the end of training, a learned gate of one expert a token beats a balanced hash",
        ONE,
        HASH,
        matched_on="steps",
        caution=HASHED,
    ),
    better(
        "DP3-01",
        "One shared expert and one of 15 others beat two of 16",
        SHARED_OF_2,
        TWO,
    ),
    better(
        "DP3-02",
        "One shared expert and 7 of 63 others beat 8 of 64",
        SHARED_OF_8,
        EIGHT,
    ),
    better(
        "DP3-03",
        "A shared expert and two of 30 others, of half its width, beat two of 16 as wide as the "
        "shared one: as much width in all and for a token, and as many to choose",
        SHARED_BESIDE,
        TWO,
    ),
    better(
        "DP4-01",
        "Experts that choose their tokens from the whole batch in training beat token choice",
        BY_BATCH,
        TWO,
        caution=SEES_LATER,
    ),
    better(
        "DP4-02",
        "Experts that choose their tokens within each sequence in training beat token choice",
        BY_SEQUENCE,
        TWO,
        caution=SEES_LATER,
    ),
    better(
        "DP4-03",
        "Experts that choose their tokens from the whole batch in training beat token choice with "
        "room for the even share of the requests",
        BY_BATCH,
        TWO_IN[1.0],
        matched_on="steps",  # what is dropped costs nothing
        caution=SEES_LATER,
    ),
    better(
        "DP5-01",
        "A balance loss over a step of 32 sequences beats one over each of them",
        STEP,
        SEQUENCE,
    ),
    better(
        "DP5-02",
        "Where a batch has one domain, a balance loss over a step of four beats one over each",
        PURE_STEP,
        PURE_BATCH,
    ),
    better(
        "DP5-03",
        "Where batches mix domains, a balance loss over a step of four beats one over each",
        STEP,
        BATCH,
    ),
]
FOLLOWING: dict[str, Any] = {"domains": DOMAINS, "margin": LITTLE}
FOLLOWED = {  # what the balance loss is over -> the arm
    "a step of mixed domains": STEP,
    "a batch of mixed domains": BATCH,
    "a batch of one domain": PURE_BATCH,
    "each sequence": SEQUENCE,
}
SPECIALISED = [
    Claim(
        key=f"DP6-{number:02}",
        says=f"Balanced over {scope}, experts follow domains",
        test=FollowsDomains(arm=arm, **FOLLOWING),
        matched_on=None,
        uncontrolled="" if number == 1 else "the controls of DP6-01 use the same test and margin",
        caution="the domains are Python, C++ and English",
        **OURS,
    )
    for number, (scope, arm) in enumerate(FOLLOWED.items(), start=1)
]
KNOWN: dict[str, Any] = {"matched_on": None, "level": "mechanism-cpu"}
[SAME_TEST] = [claim for claim in LOSS if claim.key == "DP1-03"]
CONTROLS = [
    control(
        "DP1-03p",
        "Positive control: two of 16 experts beat two of 16 with an eighth of their width",
        SAME_TEST,
        test=Difference(first=TWO, second=NARROW, margin=COUNTS),
        matched_on="steps",
        expects="effect",
    ),
    control(
        "DP1-03n",
        "Null control: in a world with one small source, two of 16 experts a token beat one of 8",
        SAME_TEST,
        test=Difference(first=NULL[0], second=NULL[1], margin=COUNTS),
        matched_on="active_flops",
        expects="no effect",
    ),
    control(
        "DP6-01p",
        "Positive control: if experts depend on the domain alone, they follow it",
        SPECIALISED[0],
        test=FollowsDomains(arm=DOMAIN, **FOLLOWING),
        expects="effect",
        **KNOWN,
    ),
    control(
        "DP6-01n",
        "Null control: if experts depend on the token alone, they follow domains",
        SPECIALISED[0],
        test=FollowsDomains(arm=TOKEN, **FOLLOWING),
        expects="no effect",
        **KNOWN,
    ),
]
