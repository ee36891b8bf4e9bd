"""What is judged: one claim for each value of a hinge, which says that the first side is right.

The arms of a claim differ in what its question is about, and in what goes with that, which its
caution names. Losses are in nats per token; lower is better.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

from moebench.papers.claim import Claim, ClaimTest
from moebench.verdict.comparisons import Difference
from reproductions.loss_free_2024.judging import MoreByDomain

ONE, TWO, TWO_WIDE = "top1", "top2", "top2_wide"
ONE_LIMITED, TWO_LIMITED = "top1_limited", "top2_wide_limited"
HASH, WEIGHT_ONE = "hash", "top1_weight_one"
SHARED_OF_2, FOUR, SHARED_OF_4 = "shared_of_2", "top4", "shared_of_4"
TOKENS, TOKENS_LIMITED = "encoder_top2", "encoder_top2_limited"
EXPERTS = "encoder_experts_choose"
GROUPS, PURE, PURE_GROUPS = "groups", "pure_batch", "pure_groups"
NARROW, NEARLY = "top2_narrow", "top2_nearly"  # of the controls
DOMAIN, TOKEN = "known_domain", "known_token"

# An effect of the first counts in questions whose papers report effects as small as 0.005 nats.
FINE, COUNTS = 0.005, 0.01
FOLLOWS = 0.05  # of the most that domain and expert could have in common, given the token
SEEDS, OF_NULL = 20, 40
LAYERS = 4
OURS: dict[str, Any] = {"source": "none; a cell of a dispute", "paper_values": {}, "ours": True}

IN_ORDER = (
    "tokens are served in their order; in the papers' order, first choices first, later tokens "
    "would be revealed"
)
FINER = "the two are also finer: 16 experts to choose from, not 8"
HASHED = (
    "hashed is a token's vector, which drifts as the model learns, by a table that is filled at "
    "step 20; Roller et al. hash the token's id, which layers here do not see; the hash has no "
    "balance loss, and takes more FLOPs than a gate"
)
WEIGHED = (
    "the shared expert has weight 1, chosen ones their probabilities, which sum to less, as in "
    "both papers"
)
ENCODER = (
    "in the encoder alone, where nothing leaks; the loss after equally many steps, not how soon "
    "it falls; experts that choose need no balance loss, and have none"
)
PRESSES = (
    "of one weight: over fewer tokens a balance loss is larger by chance, so it presses harder"
)


def _cell(key: str, says: str, test: ClaimTest, caution: str, **fields: Any) -> Claim:
    """Return a claim of ours that is judged with all seeds."""
    given = {"matched_on": "active_flops", "seeds": SEEDS, **OURS, **fields}
    return Claim(key=key, says=says, test=test, caution=caution, **given)


def _better(first: str, second: str, margin: float = COUNTS) -> Difference:
    """Return the test that the first arm has a lower loss."""
    return Difference(first=first, second=second, margin=margin)


def _follows(first: str, second: str) -> MoreByDomain:
    """Return the test that the experts of the first arm follow domains more."""
    return MoreByDomain(
        first=first,
        others=(second,),
        layers=LAYERS,
        metric="domain_share_given_token",
        unit="share of the information",
        margin=FOLLOWS,
    )


CELLS = [
    _cell(
        "DP1-01",
        "At a capacity factor of 1, two experts a token beat one of the same 8",
        _better(TWO_LIMITED, ONE_LIMITED, FINE),
        IN_ORDER,
        matched_on="steps",
    ),
    _cell(
        "DP1-02",
        "Without a capacity, two experts a token beat one of the same 8, with more FLOPs",
        _better(TWO_WIDE, ONE, FINE),
        "",
        matched_on="steps",
    ),
    _cell(
        "DP1-03",
        "Without a capacity, two of 16 experts a token beat one of 8 of twice their width",
        _better(TWO, ONE, FINE),
        FINER,
    ),
    _cell(
        "DP2-01",
        "A gate whose weight is its probability beats a balanced hash of a token's vector",
        _better(ONE, HASH),
        HASHED,
        matched_on="steps",  # the directions of the hash add FLOPs, but learn nothing
    ),
    _cell(
        "DP2-02",
        "A gate whose weight is 1, as the hash's is, beats a balanced hash of a token's vector",
        _better(WEIGHT_ONE, HASH),
        HASHED,
        matched_on="steps",
    ),
    _cell(
        "DP3-01",
        "One shared expert and one of 15 others beat two of 16",
        _better(SHARED_OF_2, TWO),
        WEIGHED,
    ),
    _cell(
        "DP3-02",
        "One shared expert and three of 31 others beat four of 32",
        _better(SHARED_OF_4, FOUR),
        WEIGHED,
    ),
    _cell(
        "DP4-01",
        "Experts that choose their tokens beat token choice with room for every request",
        _better(EXPERTS, TOKENS),
        ENCODER,
    ),
    _cell(
        "DP4-02",
        "Experts that choose their tokens beat token choice with room for the even share of the "
        "requests",
        _better(EXPERTS, TOKENS_LIMITED),
        ENCODER,
        matched_on="steps",  # what is dropped costs nothing
    ),
    _cell(
        "DP5-01",
        "A balance loss over a batch of four blocks, each of one domain, beats one over each block",
        _better(PURE, PURE_GROUPS, FINE),
        PRESSES,
    ),
    _cell(
        "DP5-02",
        "A balance loss over a batch of four blocks of mixed domains beats one over each block",
        _better(TWO, GROUPS, FINE),
        PRESSES,
    ),
    _cell(
        "DP6-01",
        "Balanced over a batch of four blocks, each of one domain, experts follow domains more "
        "than balanced over each block",
        _follows(PURE, PURE_GROUPS),
        f"the domains are Python, C++ and English; {PRESSES}",
    ),
    _cell(
        "DP6-02",
        "Balanced over a batch of four blocks of mixed domains, experts follow domains more than "
        "balanced over each block",
        _follows(TWO, GROUPS),
        f"the domains are Python, C++ and English; {PRESSES}",
    ),
]


def controls(claim: Claim) -> Iterator[Claim]:
    """Yield both controls of a claim: by its own test and margin, with runs that all share."""
    tests: tuple[ClaimTest, ClaimTest]
    if isinstance(claim.test, Difference):
        tests = (
            replace(claim.test, first=TWO, second=NARROW),
            replace(claim.test, first=TWO, second=NEARLY),
        )
        told = "two of 16 experts have a lower loss than two of half their width"
        null = "a balance weight of 0.01 gives a lower loss than one of 0.011"
    else:
        tests = (_follows(DOMAIN, TOKEN), _follows(TWO, NEARLY))
        told = "experts follow domains more if the domain decides for three tenths of the tokens"
        null = "with a balance weight of 0.01 experts follow domains more than with 0.011"
    yield _control(claim, "p", f"Positive control: {told}", tests[0], "effect")
    yield _control(claim, "n", f"Null control: {null}", tests[1], "no effect")


def _control(
    of: Claim, ending: str, says: str, test: ClaimTest, expects: Literal["effect", "no effect"]
) -> Claim:
    """Return a control; routing that is known takes no training, and so no such seeds."""
    known = DOMAIN in test.arms
    return Claim(
        key=of.key + ending,
        says=says,
        source=f"none; a control of {of.key}",
        paper_values={},
        test=test,
        matched_on=None if known else "active_flops" if expects == "no effect" else "steps",
        level="mechanism-cpu" if known else "scaled-cpu",
        seeds=5 if known else OF_NULL if expects == "no effect" else SEEDS,
        control_of=of.key,
        expects=expects,
    )
