"""The claims that training decides, and their controls.

Losses are in nats per token; lower is better. The paper's figures are means of scores over tasks.

Source: Du et al. 2021, GLaM (arXiv 2112.06905), sections 4 and 6.
"""

from moebench.papers.claim import Claim
from reproductions.glam_2021.judging import BestInside, LowerInEach

# Mixture -> its dense twin, at two widths; and in the worlds of known answer.
TEXT = {"narrow_moe": "narrow_dense", "wide_moe": "wide_dense"}
LARGE_SOURCE = {"large_source_moe": "large_source_dense"}
ONE_SOURCE = {"one_source_moe": "one_source_dense"}
# Fourfold steps, from one choice of two experts on: with two, a token chooses both.
EXPERTS = {f"experts_{number}": number for number in (2, 8, 32, 128, 512)}
# The smallest gain of a mixture over its dense twin that counts, as in switch_2021.
COUNTED = 0.01

TRAINED = [
    Claim(
        key="GL21-02",
        says="With equal FLOPs a token a sparse model beats its dense twin, at every size; here at "
        "two widths",
        source="Table 4; figure of scores over FLOPs a token",
        paper_values={
            "0.1B, active": ("130M", "145M"),
            "8B, active": ("8.7B", "9.8B"),
            "largest, active": ("137B", "96.6B"),
        },
        test=LowerInEach(against=TEXT, margin=COUNTED),
        matched_on="active_flops",
        same_data=(tuple(arm for pair in TEXT.items() for arm in pair),),
        caution="the place in the paper is known from notes on it",
    ),
    Claim(
        key="GL21-02p",
        says="Positive control: in a world with one source of more words than the dense model can "
        "store, the sparse model beats it",
        source="none; a control of GL21-02",
        paper_values={},
        test=LowerInEach(against=LARGE_SOURCE, margin=COUNTED),
        matched_on="active_flops",
        control_of="GL21-02",
        expects="effect",
    ),
    Claim(
        key="GL21-02n",
        says="Null control: in a world with one small source, the sparse model beats the dense one",
        source="none; a control of GL21-02",
        paper_values={},
        test=LowerInEach(against=ONE_SOURCE, margin=COUNTED),
        matched_on="active_flops",
        control_of="GL21-02",
        expects="no effect",
    ),
    Claim(
        key="GL21-03",
        says="With the tokens fixed, more experts per layer help up to a number, 64 in the paper, "
        "and then hurt",
        source="Figure of the number of experts",
        paper_values={"best": 64, "fewest and most": (1, 256)},
        test=BestInside(sizes=EXPERTS, margin=COUNTED),
        matched_on="steps",
        uncontrolled="for no text and no world is the best number of experts known in advance",
        caution="the place in the paper is known from notes on it",
    ),
]
