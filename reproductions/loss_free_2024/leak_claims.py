"""What expert choice gives away of later tokens, measured where nothing else can be known of them.

All tokens are independent draws of four, so no model that sees only the tokens so far gets below
ln 4 = 1.386 nats. Source: Wang et al. 2024 (arXiv 2408.15664), section 5.2 and appendix D.
"""

import math
from typing import Any

from moebench.papers.claim import Claim
from moebench.papers.plan import Arm
from moebench.papers.settings import NETWORK
from reproductions.loss_free_2024.leak_judging import BelowEntropy

DRAWS = 4  # ids that a token is drawn from, as in choice.yaml
CHUNKS = {size: f"choice_{size}" for size in (4, 64)}  # 64 tokens are a sequence
CHOICE, LARGER = CHUNKS.values()
SHUFFLED, BY_TOKEN, BY_NEXT = "choice_shuffled", "choice_by_token", "choice_by_next"
FILE = ["choice.yaml"]
ROUTER = f"{NETWORK}.sparse.router"
PARTS = "reproductions.loss_free_2024.leak_routers"
JUDGED: dict[str, Any] = {"entropy": math.log(DRAWS), "margin": 0.01}  # 0.7% of the loss


def in_chunks(size: int) -> dict[str, object]:
    """Return a router of expert choice among so many tokens."""
    init_args = {"num_experts": 8, "k": 2, "group": size, "allow_leaks": True}
    return {"class_path": "ExpertChoice", "init_args": init_args}


def wrapped(name: str, router: dict[str, object]) -> dict[str, object]:
    """Return the settings of a wrapper of this paper around a router."""
    return {ROUTER: {"class_path": f"{PARTS}.{name}", "init_args": {"router": router}}}


TOKENS: dict[str, object] = {
    "class_path": "SoftmaxTopK",
    "init_args": {"num_experts": 8, "k": 2},
}
ARMS_LEAK = [
    *(Arm(name, FILE, {ROUTER: in_chunks(size)}) for size, name in CHUNKS.items()),
    Arm(SHUFFLED, FILE, wrapped("Shuffled", in_chunks(4))),
    Arm(BY_TOKEN, FILE, {ROUTER: TOKENS}),
    Arm(BY_NEXT, FILE, wrapped("NextToken", TOKENS)),
]

LEAKS = [
    Claim(
        key="LF24-07a",
        says="Where all tokens are independent draws, a causal model with expert choice in chunks "
        "of 4 tokens gets below their entropy, and below its loss in chunks of 64; if the tokens "
        "are shuffled first, it does not",
        source="none; appendix D, whose text has no known entropy, on tokens that have one",
        ours=True,
        paper_values={"chunks": (8192, 512), "abnormal drop, %": 10},
        matched_on="active_flops",
        test=BelowEntropy(
            arm=CHOICE,
            larger=LARGER,
            closed=(SHUFFLED,),
            closed_in=("analysis/causal/loss",),
            **JUDGED,
        ),
        caution="the paper says that in chunks of 512 instead of 8192 tokens of text the loss "
        "falls abnormally, not that it gets below the entropy",
    ),
    Claim(
        key="LF24-07ap",
        says="Positive control: a model that sends each token where the next one belongs gets "
        "below the entropy",
        source="none; a control of LF24-07a",
        paper_values={},
        matched_on=None,
        test=BelowEntropy(arm=BY_NEXT, **JUDGED),
        control_of="LF24-07a",
        expects="effect",
    ),
    Claim(
        key="LF24-07an",
        says="Null control: a model whose tokens choose for themselves gets below the entropy",
        source="none; a control of LF24-07a",
        paper_values={},
        matched_on=None,
        test=BelowEntropy(arm=BY_TOKEN, **JUDGED),
        control_of="LF24-07a",
        expects="no effect",
        caution="no causal model can: what this checks is the code, and that the entropy is right",
    ),
]
