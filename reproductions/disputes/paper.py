"""Six questions on which papers disagree; claims.py has what is judged, plan.py the runs.

A cell's claim says that the first side is right at one value of the hinge; where it is refuted, the
second is. All of it was fixed before any run.
"""

from moebench.papers.claim import Paper
from moebench.papers.dispute import Dispute, Side
from reproductions.disputes.claims import CONTROLS, EARLY, LOSS, SPECIALISED

PAPER = Paper(
    key="disputes",
    name="disputes",
    order=1,
    title="Questions on which papers about mixtures of experts disagree",
    authors="several papers",
    year=2025,
    arxiv="",
)
ROUTING = "reproductions.mixtral_2024.known_routing"
# Routing that was constructed, not trained, for the controls of the last question.
COMPUTED = {"known_domain": f"{ROUTING}:domain", "known_token": f"{ROUTING}:token"}
CLAIMS = sorted([*LOSS, *SPECIALISED, *CONTROLS], key=lambda claim: claim.key)

DISPUTES = [
    Dispute(
        question="Is one expert a token enough?",
        sides=(
            Side(
                says="two experts a token are better than one",
                source="Shazeer et al. 2017, section 2.1; Dai et al. 2024 (DeepSeekMoE), Table 1; "
                "Zhou et al. 2022 (arXiv 2202.09368), Table 2; Switch's own row at a capacity "
                "factor of 2.0",
                claims=("S17-14", "DM24-01", "SW21-02"),
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
            "with room for 1.0 times the requests": "DP1-01",
            "with room for 1.25 times the requests": "DP1-02",
            "without a capacity": "DP1-03",
            "where the second expert doubles the FLOPs": "DP1-04",
        },
    ),
    Dispute(
        question="Learned or hashed?",
        sides=(
            Side(
                says="a learned gate is better than a hash",
                source="Dai et al. 2024 (DeepSeekMoE), Table 1; Zhou et al. 2022 (arXiv "
                "2202.09368), Table 4",
                claims=("DM24-01",),
            ),
            Side(
                says="a hash is as good as a learned gate",
                source="Roller et al. 2021 (arXiv 2106.04426), abstract",
                claims=("N5-05",),
            ),
        ),
        hinge="how long the model is trained: a hash is there from the first step, a gate is not",
        cells={f"after {EARLY} steps": "DP2-01", "at the end of training": "DP2-02"},
    ),
    Dispute(
        question="Should some experts be shared by all tokens?",
        sides=(
            Side(
                says="a shared expert helps",
                source="Dai et al. 2024 (DeepSeekMoE), section 4.4",
                claims=("DM24-04", "DM24-05"),
            ),
            Side(
                says="a shared expert does not help",
                source="Muennighoff et al. 2024, OLMoE (arXiv 2409.02060), section 4.1.3: slightly "
                "worse",
            ),
        ),
        hinge="how many active experts there are: sharing one leaves one fewer to choose",
        cells={
            "as one of 2 active experts": "DP3-01",
            "as one of 8 active experts": "DP3-02",
            "beside 2 experts that are chosen": "DP3-03",
        },
    ),
    Dispute(
        question="Should experts choose tokens, or tokens experts?",
        sides=(
            Side(
                says="expert choice is better than token choice",
                source="Zhou et al. 2022 (arXiv 2202.09368), abstract: more than twice as fast",
            ),
            Side(
                says="token choice is as good as expert choice",
                source="Muennighoff et al. 2024, OLMoE (arXiv 2409.02060), section 4.1.4: better, "
                "without drops; Wang et al. 2024, section 5.2: expert choice leaks later tokens",
                claims=("LF24-07", "LF24-07a"),
            ),
        ),
        hinge="among which tokens experts choose, and whether token choice drops any",
        cells={
            "where experts choose from the whole batch": "DP4-01",
            "where they choose within a sequence": "DP4-02",
            "where token choice drops what exceeds the even share": "DP4-03",
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
        hinge="whether what the narrow scope balances is of one domain",
        cells={
            "where the narrow one is a single sequence": "DP5-01",
            "where it is a batch of one domain": "DP5-02",
            "where it is a batch of mixed domains": "DP5-03",
        },
    ),
    Dispute(
        question="Do experts follow domains?",
        sides=(
            Side(
                says="experts follow domains",
                source="Muennighoff et al. 2024, OLMoE (arXiv 2409.02060), section 5.3; "
                "DeepSeek-V3 (arXiv 2412.19437), section 4.5.3; Qiu et al. 2025, Demons in the "
                "detail (arXiv 2501.11873), section 4.2",
                claims=("DV24-03",),
            ),
            Side(
                says="experts hardly follow domains",
                source="Jiang et al. 2024 (Mixtral), section 5; Zoph et al. 2022, ST-MoE (arXiv "
                "2202.08906), section 7.3",
                claims=("MX24-02", "MX24-02d"),
            ),
        ),
        hinge="the scope of the balance loss: over one domain it spreads that over all experts",
        cells={
            "if balanced over a step": "DP6-01",
            "if balanced over batches of mixed domains": "DP6-02",
            "if balanced over batches of one domain": "DP6-03",
            "if balanced over each sequence": "DP6-04",
        },
    ),
]
