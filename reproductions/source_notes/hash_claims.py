"""What an account says of hash routing: that it avoids the problems of training a router.

The problems are those that the account names: uneven loads, unstable training, and a worse loss.
"""

from moebench.papers.claim import Claim
from moebench.papers.plan import Arm
from moebench.papers.settings import LOSSES, NETWORK
from reproductions.source_notes.hash_judging import AvoidsProblems

EXPERTS = 8
BASE = ["../shazeer_2017/sources.yaml", "hashing.yaml"]
SKEWED = {"data.init_args.world.init_args.skew": 1.0}  # so that some words are frequent
LEARNED, UNBALANCED = "gate_learned", "gate_learned_unbalanced"
HASHES = {
    "random table": "hash_random",
    "balanced table": "hash_balanced",
    "clustered table": "hash_clustered",
}


def hashed(router: str, **arguments: object) -> dict[str, object]:
    """Return the settings for a router that hashes, with no balance loss: it has nothing to learn.

    Args:
        router: its class.
        **arguments: its arguments besides the number of experts.
    """
    init_args = {"num_experts": EXPERTS, **arguments}
    return {
        **SKEWED,
        f"{NETWORK}.sparse.router": {"class_path": router, "init_args": init_args},
        LOSSES: [],
    }


ARMS_HASHING = [
    Arm(LEARNED, BASE, SKEWED),
    Arm(UNBALANCED, BASE, {**SKEWED, LOSSES: [{"loss": "LoadBalance", "weight": 0.0}]}),
    Arm(HASHES["random table"], BASE, hashed("HashTable", table="random")),
    Arm(HASHES["balanced table"], BASE, hashed("BalancedHash")),
    Arm(HASHES["clustered table"], BASE, hashed("HashTable", table="clustered")),
]

CLAIMS_HASHING = [
    Claim(
        key="N5-05",
        says="Hash routing avoids the problems of training a router: loads are more even than of a "
        "gate without a balance loss, and neither the loss nor its spread over the seeds is worse "
        "than with a trained gate",
        source="a secondary account of why gates are hard to train",
        paper_values={},
        matched_on="steps",  # 512 directions per layer, which learn nothing, add FLOPs to a hash
        test=AvoidsProblems(
            under=HASHES,
            unbalanced=UNBALANCED,
            learned=LEARNED,
            metric="route/max_violation",
            unit="mean loads",
            margin=0.25,  # what a capacity factor of 1.25 leaves room for
            allowed=0.014,  # nats: 0.5% of a loss that is near 2.8 here
        ),
        uncontrolled="for no gate are load and loss known in advance",
        caution="a layer sees vectors and no token ids: hashed is the vector, which changes while "
        "the layers below are trained, and whose hash takes a fifth more FLOPs than the gates",
    ),
]
