"""What an account says of the number k of experts of a token: too few hurt.

Layers differ in k alone if they have as many parameters, total and active: k of 8 k experts, each
256 / k wide. That too many lose the saving is arithmetic: a layer's FLOPs are proportional to k.
"""

from moebench.papers.claim import Claim
from moebench.papers.plan import Arm
from moebench.papers.settings import NETWORK
from reproductions.source_notes.picks_judging import WorseThanBest

EXPERTS, WIDTH = 8, 256  # for one expert a token
BASE = ["../shazeer_2017/sources.yaml", "picks.yaml"]
NOTHING_TO_LEARN = [*BASE, "independent.yaml"]
PICKS = {k: f"k_{k}_of_{EXPERTS * k}" for k in (1, 2, 4, 8)}
ONE, *SEVERAL = PICKS.values()
TINY = "k_1_of_8_tiny"
NULL = {k: f"{PICKS[k]}_null" for k in (1, 8)}
COUNTS = 0.01  # nats, as for other mixtures here


def picking(k: int, width: int = WIDTH) -> dict[str, object]:
    """Return the settings for k experts of a token, of a width in all."""
    return {
        f"{NETWORK}.sparse.router.init_args.num_experts": EXPERTS * k,
        f"{NETWORK}.sparse.router.init_args.k": k,
        f"{NETWORK}.sparse.experts.init_args.hidden": width // k,
    }


ARMS_PICKS = [
    *(Arm(name, BASE, picking(k)) for k, name in PICKS.items()),
    Arm(TINY, BASE, picking(1, WIDTH // 8)),
    *(Arm(name, NOTHING_TO_LEARN, picking(k)) for k, name in NULL.items()),
]

CLAIMS_PICKS = [
    Claim(
        key="N5-03",
        says="Too few experts a token hurt quality, too many lose the saving; judged by the first "
        "half: one of 8 is worse than the best of 2 of 16, 4 of 32 and 8 of 64, which have as many "
        "parameters, total and active",
        source="a secondary account of why gates are hard to train",
        paper_values={},
        matched_on="active_flops",
        test=WorseThanBest(first=ONE, others=tuple(SEVERAL), margin=COUNTS),
        caution="at equal cost more experts a token are also finer ones, of which there are more: "
        "these are not told apart; in one world, of Markov sources",
    ),
    Claim(
        key="N5-03p",
        says="Positive control: one expert that is an eighth as wide is worse than four of 32",
        source="none",
        paper_values={},
        matched_on="steps",
        test=WorseThanBest(first=TINY, others=(PICKS[4],), margin=COUNTS),
        control_of="N5-03",
        expects="effect",
    ),
    Claim(
        key="N5-03n",
        says="Null control: where all tokens are independent draws, one of 8 is worse than 8 of 64",
        source="none",
        paper_values={},
        matched_on="active_flops",
        test=WorseThanBest(first=NULL[1], others=(NULL[8],), margin=COUNTS),
        control_of="N5-03",
        expects="no effect",
    ),
]
