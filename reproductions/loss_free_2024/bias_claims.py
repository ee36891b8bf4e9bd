"""The statements about balancing by a bias, and their controls.

Losses are in nats per token; lower is better. MaxVio is the busiest expert's excess over the mean
load; `analysis/balance/...` are measured on all validation batches (balance_curve.py). An effect on
the loss counts from 0.005 nats, as the paper's are about 0.006; one on MaxVio from 0.1, a seventh
of what its balance loss leaves. Source: Wang et al. 2024 (arXiv 2408.15664).
"""

from typing import Any

from moebench.papers.claim import Claim
from moebench.verdict.comparisons import Difference, NoWorse
from moebench.verdict.exact import Exact
from reproductions.loss_free_2024.judging import EvenerNotBetter, NoWeightMatches, RightRate

FREE, SOFTMAX, MULTIPLIED = "free", "free_softmax", "multiplied"
AUX = {weight: f"aux_{weight}" for weight in ("0", "1e-4", "1e-3", "1e-2", "1e-1")}
NEARLY = "aux_1.1e-2"  # which no measurement here can tell from 1e-2
RATES = {rate: f"rate_{rate}" for rate in ("1e-4", "1e-2", "1e-1")}  # that of free is 1e-3
ERRORS = {rate: f"error_{rate}" for rate in ("1e-3", "1e-2")}
BALANCE = "analysis/balance"
LOSS_COUNTS, VIOLATION_COUNTS = 0.005, 0.1
# Seeds of claims on the loss: differences between two arms on text have a standard deviation of
# 0.005 to 0.02 nats in the records of other papers here.
TEN = 10
MAXVIO: dict[str, Any] = {"unit": "MaxVio", "margin": VIOLATION_COUNTS}
BETTER: dict[str, Any] = {
    "imbalance": f"{BALANCE}/global",
    "factor": 5.0,
    "margin": LOSS_COUNTS,
}
EXACT: dict[str, Any] = {"matched_on": None, "seeds": 1, "level": "arithmetic"}
NO_KNOWN = "for no rule of the bias is it known in advance how well it balances a text"

BIAS = [
    Claim(
        key="LF24-01",
        says="A bias balances far better than a balance loss, at a lower loss; judged against "
        "every weight: none reaches its loss without leaving five times its imbalance",
        source="Table 2",
        paper_values={
            "1B, perplexity and MaxVio": {"loss": (9.56, 0.72), "free": (9.50, 0.04)},
            "3B, perplexity and MaxVio": {"loss": (7.97, 0.52), "free": (7.92, 0.04)},
        },
        matched_on="active_flops",
        test=NoWeightMatches(
            free=FREE, weighted=tuple(AUX.values()), printed=AUX["1e-3"], **BETTER
        ),
        seeds=TEN,
        uncontrolled="no rule is known in advance to cost nothing on a text, so there is no "
        "positive control",
    ),
    Claim(
        key="LF24-01n",
        says="Null control: a balance loss of weight 0.011 balances far better than those of other "
        "weights, at a lower loss",
        source="none; a control of LF24-01",
        paper_values={},
        matched_on="active_flops",
        test=NoWeightMatches(free=NEARLY, weighted=tuple(AUX.values()), **BETTER),
        seeds=TEN,
        control_of="LF24-01",
        expects="no effect",
    ),
    Claim(
        key="LF24-03",
        says="A rate of 0.001 is right: a tenth of it balances too slowly, ten times of it "
        "fluctuates late; judged for these rates or for ten times these, as runs are shorter",
        source="Figure 4",
        paper_values={"rates": (1e-4, 1e-3, 1e-2)},
        matched_on="active_flops",
        test=RightRate(
            rates={
                "rates as printed": (RATES["1e-4"], FREE, RATES["1e-2"]),
                "ten times the printed rates": (FREE, RATES["1e-2"], RATES["1e-1"]),
            },
            metric=f"{BALANCE}/batch",
            early=f"{BALANCE}/batch@100",
            **MAXVIO,
        ),
        uncontrolled=NO_KNOWN,
    ),
    Claim(
        key="LF24-04",
        says="Following the error instead of its sign balances better, but not at a lower loss",
        source="Table 3",
        paper_values={
            "sign, 0.001": (9.50, 0.044),
            "error, 0.01, 0.001, 0.0001": ((9.53, 0.028), (9.51, 0.036), (9.51, 0.040)),
        },
        matched_on="active_flops",
        test=EvenerNotBetter(
            firsts={f"rate {rate}": arm for rate, arm in ERRORS.items()},
            second=FREE,
            metric=f"{BALANCE}/global",
            unit="MaxVio",
            margin=0.01,  # the paper's differences are 0.004 to 0.016
            loss="valid/loss",
            loss_margin=LOSS_COUNTS,
        ),
        seeds=TEN,
        uncontrolled=NO_KNOWN,
        caution="the error here is relative to the mean load; the paper does not say its unit",
    ),
    Claim(
        key="LF24-05",
        says="A multiplicative bias is slightly worse than an additive one; judged as no better, "
        "as the paper's 0.002 nats are too few to count",
        source="Table 4",
        paper_values={
            "additive, 0.001": (9.50, 0.044),
            "multiplicative, 0.01, 0.001, 0.0001": ((9.52, 0.041), (9.52, 0.036), (9.54, 0.048)),
        },
        matched_on="active_flops",
        test=NoWorse(first=FREE, second=MULTIPLIED, margin=LOSS_COUNTS),
        seeds=TEN,
        uncontrolled=NO_KNOWN,
    ),
    Claim(
        key="LF24-06",
        says="The bias changes the choice alone: weights are the scores of the chosen experts, and "
        "it has no gradient",
        source="Equation 3, algorithm 1",
        paper_values={"weight": "s if s + b is among the k largest, else 0"},
        test=Exact(
            arm="bias_choice",
            metric="weight/deviation",
            unit="deviation",
            equals={"weight/deviation": 0.0, "score/deviation": 0.0, "bias/gradients": 0.0},
            at_least={"moved": 0.1},
        ),
        **EXACT,
    ),
    Claim(
        key="LF24-07",
        says="Expert choice can leak more than 50 bits a token of later tokens: 9 layers, 16 "
        "experts, 2 of them a token",
        source="Section 5.2, appendix D",
        paper_values={"bits": 50},
        test=Exact(arm="leak", unit="bits", at_least={"bits": 50.0}),
        **EXACT,
    ),
    Claim(
        key="LF24-08",
        says="At equal balance a softmax gate has a higher loss than a sigmoid gate",
        source="Appendix C, Figure 7",
        paper_values={"figure": "perplexity against MaxVio, no numbers"},
        matched_on="active_flops",
        test=Difference(first=FREE, second=SOFTMAX, margin=LOSS_COUNTS),
        seeds=TEN,
        uncontrolled="for no gate is it known in advance that it is better",
        caution="both are balanced by a bias; that this makes them equally even, and that the "
        "softmax is more sensitive to imbalance, is not judged",
    ),
    Claim(
        key="LF24-09",
        says="Over more batches together a bias loses more of the imbalance of single ones than a "
        "balance loss of 0.001 does",
        source="Figure 5",
        paper_values={"figure": "curves only"},
        matched_on="active_flops",
        test=Difference(
            first=FREE,
            second=AUX["1e-3"],
            metric=f"{BALANCE}/left",
            unit="share of MaxVio above chance",
            margin=VIOLATION_COUNTS,
        ),
        uncontrolled=NO_KNOWN,
    ),
]
