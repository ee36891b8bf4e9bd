"""What an account says of the number k of experts of a token: neither too small nor too large.

Eight experts in every block. Of one size, 64 wide, they take more FLOPs the more are chosen; for
equal FLOPs they are 256 / k wide. What stays the same the account leaves open.
"""

from moebench.papers.claim import Claim
from moebench.papers.plan import Arm
from moebench.papers.settings import LOSSES, NETWORK
from reproductions.source_notes.picks_judging import BestInBetween

EXPERTS, HIDDEN = 8, 64
BASE = ["../shazeer_2017/sources.yaml", "picks.yaml"]
NOTHING_TO_LEARN = [*BASE, "independent.yaml"]
SIZED = {k: f"k_{k}" for k in (1, 2, 4, 8)}
EQUAL_FLOPS = {1: "k_1_wide", 2: "k_2_wide", 4: SIZED[4], 8: "k_8_narrow"}
DENSE, TINY = "k_8_dense", "k_1_tiny"
NULL = ("k_1_null", "k_8_null", "k_8_narrow_null")
COUNTS = 0.01  # nats, as for other mixtures here


def picking(k: int, hidden: int = HIDDEN) -> dict[str, object]:
    """Return the settings for k experts of a token, each of a width; all need no balance."""
    return {
        f"{NETWORK}.sparse.router.init_args.k": k,
        f"{NETWORK}.sparse.experts.init_args.hidden": hidden,
        **({LOSSES: []} if k == EXPERTS else {}),
    }


ARMS_PICKS = [
    *(Arm(name, BASE, picking(k)) for k, name in SIZED.items()),
    *(Arm(EQUAL_FLOPS[k], BASE, picking(k, 4 * HIDDEN // k)) for k in (1, 2, 8)),
    Arm(DENSE, BASE, picking(EXPERTS), twin_of=SIZED[EXPERTS], matched_on="total_params"),
    Arm(TINY, BASE, picking(1, HIDDEN // EXPERTS)),
    Arm(NULL[0], NOTHING_TO_LEARN, picking(1)),
    Arm(NULL[1], NOTHING_TO_LEARN, picking(EXPERTS)),
    Arm(NULL[2], NOTHING_TO_LEARN, picking(EXPERTS, HIDDEN // EXPERTS)),
]

CLAIMS_PICKS = [
    Claim(
        key="N5-03",
        says="Too few experts a token hurt quality, too many lose the saving: one is worse than "
        "the best number; all of them take the FLOPs of a dense model with as many parameters, and "
        "are no better than the best number for equal FLOPs",
        source="a secondary account of why gates are hard to train",
        paper_values={},
        matched_on="active_flops",
        test=BestInBetween(sized=SIZED, equal=EQUAL_FLOPS, dense=DENSE, margin=COUNTS),
        caution="one number of experts, 8, in a world of Markov sources; the account names none",
    ),
    Claim(
        key="N5-03p",
        says="Positive control: one expert a token that is an eighth as wide is worse than several "
        "of full width",
        source="none",
        paper_values={},
        matched_on="steps",
        test=BestInBetween(
            sized={1: TINY, 8: SIZED[8]}, equal={1: TINY, 4: EQUAL_FLOPS[4]}, margin=COUNTS
        ),
        control_of="N5-03",
        expects="effect",
    ),
    Claim(
        key="N5-03n",
        says="Null control: where all tokens are independent draws, one expert a token is worse "
        "than all",
        source="none",
        paper_values={},
        matched_on="active_flops",
        test=BestInBetween(
            sized={1: NULL[0], 8: NULL[1]}, equal={1: NULL[0], 8: NULL[2]}, margin=COUNTS
        ),
        control_of="N5-03",
        expects="no effect",
    ),
]
