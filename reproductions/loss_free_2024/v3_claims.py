"""What the report on DeepSeek-V3 says of the same rule, and of the scope of a balance loss.

Source: DeepSeek-AI 2024 (arXiv 2412.19437). Margins are those of bias_claims.py.
"""

from moebench.papers.claim import Claim
from reproductions.loss_free_2024.bias_claims import (
    AUX,
    BALANCE,
    FREE,
    LOSS_COUNTS,
    MAXVIO,
    TEN,
)
from reproductions.loss_free_2024.judging import LowerThanAll, MoreByDomain, NoJump, ScopeMatters

SEQUENCES = {weight: f"sequence_{weight}" for weight in ("1e-4", "1e-3", "1e-2", "1e-1")}
BATCH, SEQUENCE, FROZEN = AUX["1e-2"], SEQUENCES["1e-2"], "frozen"
INDEPENDENT = ("independent_sequence", "independent_free", "independent_batch")
LAYERS = 4

DEEPSEEK_V3 = [
    Claim(
        key="DV24-01",
        says="Balanced by a bias a model is better than with a balance loss; judged against losses "
        "over each sequence, of four weights",
        source="DeepSeek-V3, section 4.5.2",
        paper_values={
            "small, Pile, bits a byte": (0.727, 0.724),
            "large, Pile, bits a byte": (0.656, 0.652),
            "worse on": "MBPP (small), MMLU (large)",
        },
        matched_on="active_flops",
        # Over each sequence, as in that report: of one over the batch it says that it does as
        # well (DV24-02).
        test=LowerThanAll(first=FREE, others=tuple(SEQUENCES.values()), margin=LOSS_COUNTS),
        seeds=TEN,
        uncontrolled="for no text is the cost of balance known in advance",
    ),
    Claim(
        key="DV24-02",
        says="The gain is one of scope: a loss over the batch does as well as the bias, one over "
        "each sequence worse",
        source="DeepSeek-V3, section 4.5.3",
        paper_values={
            "1B, sequence, free, batch": (2.258, 2.253, 2.253),
            "3B, sequence, free, batch": (2.085, 2.080, 2.080),
        },
        matched_on="active_flops",
        test=ScopeMatters(narrow=SEQUENCE, wide=(FREE, BATCH), margin=LOSS_COUNTS),
        seeds=TEN,
        uncontrolled="for no text is the cost of a narrow scope known in advance, so there is no "
        "positive control",
    ),
    Claim(
        key="DV24-02n",
        says="Null control: where all tokens are independent draws, a loss over each sequence is "
        "worse",
        source="none; a control of DV24-02",
        paper_values={},
        matched_on="active_flops",
        test=ScopeMatters(narrow=INDEPENDENT[0], wide=INDEPENDENT[1:], margin=LOSS_COUNTS),
        control_of="DV24-02",
        expects="no effect",
    ),
    Claim(
        key="DV24-03",
        says="Balanced by a bias, experts follow domains more than with a balance loss",
        source="DeepSeek-V3, section 4.5.3, Figure 9",
        paper_values={"figure": "maps of loads by domain"},
        matched_on="active_flops",
        test=MoreByDomain(
            first=FREE,
            others=(BATCH, SEQUENCE),
            layers=LAYERS,
            metric="domain_nmi",
            unit="normalised mutual information",
            margin=0.01,  # a fifth of what Mixtral's claims call little
        ),
        uncontrolled="for no rule is it known in advance how much experts follow domains",
        caution="the domains are Python, C++ and English",
    ),
    Claim(
        key="DV24-04",
        says="The bias may stay as it is for the last steps: neither imbalance nor loss jumps",
        source="none; what DeepSeek-V3, section 4.2, takes for granted when it stops the bias",
        ours=True,
        paper_values={
            "rate": (0.001, 0.0),
            "tokens": ("14.3T", "500B"),
            "weight of the sequence-wise loss": 0.0001,
        },
        matched_on="active_flops",
        test=NoJump(
            first=FROZEN,
            second=FREE,
            metric=f"{BALANCE}/global",
            loss_margin=LOSS_COUNTS,
            **MAXVIO,
        ),
        uncontrolled="no change of the rate is known in advance to disturb a run, or not to",
        caution="frozen for the last 5% of the steps, where the paper has 3%",
    ),
]
