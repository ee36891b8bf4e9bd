"""Six questions on which papers disagree; claims.py has what is judged, plan.py the runs.

A cell's claim says that the first side is right at one value of the hinge; where it is refuted, the
second is. All of it was fixed before any run.
"""

from moebench.papers.claim import Paper
from moebench.papers.dispute import Dispute, Side
from reproductions.disputes.claims import CELLS, DOMAIN, TOKEN, controls

PAPER = Paper(
    key="disputes",
    name="disputes",
    order=1,
    title="Questions on which papers about mixtures of experts disagree",
    authors="several papers",
    year=2025,
    arxiv="",
)
# Routing that was constructed, not trained, for the positive control of the last question.
ROUTING = "reproductions.disputes.known_shares"
COMPUTED = {DOMAIN: f"{ROUTING}:domain", TOKEN: f"{ROUTING}:token"}
CLAIMS = [one for cell in CELLS for one in (cell, *controls(cell))]

DISPUTES = [
    Dispute(
        question="Is one expert a token enough?",
        sides=(
            Side(
                says="two experts a token are better than one",
                source="Dai et al. 2024 (DeepSeekMoE), Table 1; Zhou et al. 2022 (arXiv "
                "2202.09368), Table 2; Switch's own row at a capacity factor of 2.0",
                claims=("DM24-01", "SW21-02"),
            ),
            Side(
                says="one expert a token is enough",
                source="Fedus et al. 2021 (Switch), section 2.1 and Table 1, at capacity factors "
                "of 1.0 and 1.25",
                claims=("SW21-01",),
            ),
        ),
        hinge="how much capacity there is, and that two experts as wide as one take more FLOPs",
        cells={
            "at a capacity factor of 1": "DP1-01",
            "without a capacity": "DP1-02",
            "with two that are half as wide and twice as many": "DP1-03",
        },
    ),
    Dispute(
        question="Learned, or a hash of the token's vector?",
        sides=(
            Side(
                says="a learned gate is better than a hash",
                source="Dai et al. 2024 (DeepSeekMoE), Table 1, of a hash of the token's id",
                claims=("DM24-01",),
            ),
            Side(
                says="a hash is as good as a learned gate",
                source="Roller et al. 2021 (arXiv 2106.04426), abstract, of a hash of the "
                "token's id",
                claims=("N5-05",),
            ),
        ),
        hinge="unknown; here, the weight of the answer: 1 with a hash, at first about an eighth "
        "with a gate of eight experts",
        cells={
            "where the gate's weight is its probability": "DP2-01",
            "where its weight is 1, too": "DP2-02",
        },
    ),
    Dispute(
        question="Should one of the active experts be shared by all tokens?",
        sides=(
            Side(
                says="a shared expert helps",
                source="Dai et al. 2024 (DeepSeekMoE), section 4.4, as one of two active experts",
                claims=("DM24-04",),
            ),
            Side(
                says="a shared expert does not help",
                source="Muennighoff et al. 2024, OLMoE (arXiv 2409.02060), section 4.1.3: slightly "
                "worse, as one of four active experts of 32 in its figure, of two in its text",
            ),
        ),
        hinge="unknown; here, the two layouts",
        cells={
            "as one of two active experts of 16": "DP3-01",
            "as one of four active experts of 32": "DP3-02",
        },
    ),
    Dispute(
        question="Should experts choose tokens, or tokens experts?",
        sides=(
            Side(
                says="expert choice is better than token choice",
                source="Zhou et al. 2022 (arXiv 2202.09368), abstract: as good more than twice as "
                "soon, compared with token choice that has a capacity",
            ),
            Side(
                says="token choice is as good as expert choice",
                source="Muennighoff et al. 2024, OLMoE (arXiv 2409.02060), section 4.1.4: better, "
                "without drops",
            ),
        ),
        hinge="whether token choice drops tokens",
        cells={
            "where token choice drops nothing": "DP4-01",
            "where it drops what exceeds the even share": "DP4-02",
        },
    ),
    Dispute(
        question="Over how many tokens should a balance loss balance?",
        sides=(
            Side(
                says="a wider scope is better",
                source="Qiu et al. 2025, Demons in the detail (arXiv 2501.11873), Table 1; "
                "DeepSeek-V3 (arXiv 2412.19437), section 4.5.3",
                claims=("DV24-02",),
            ),
            Side(
                says="a wider scope is no better",
                source="Zoph et al. 2022, ST-MoE (arXiv 2202.08906), section 7.3: worse",
            ),
        ),
        hinge="unknown, as both have groups of a few sequences; here, the make-up of a group",
        cells={
            "where a group is of one domain": "DP5-01",
            "where a group mixes domains": "DP5-02",
        },
    ),
    Dispute(
        question="Does a wider balance loss let experts follow domains?",
        sides=(
            Side(
                says="experts follow domains more under a wider balance loss",
                source="DeepSeek-V3 (arXiv 2412.19437), section 4.5.3; Qiu et al. 2025, Demons in "
                "the detail (arXiv 2501.11873), section 4.2",
                claims=("DV24-03",),
            ),
            Side(
                says="experts follow domains no more under a wider balance loss",
                source="Zoph et al. 2022, ST-MoE (arXiv 2202.08906), section 7.3: they "
                "do not by language, and a global loss made balance and quality worse",
            ),
        ),
        hinge="unknown; here, the make-up of a group",
        cells={
            "where a group is of one domain": "DP6-01",
            "where a group mixes domains": "DP6-02",
        },
    ),
]
