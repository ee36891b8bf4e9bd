"""Tables 6 and 7 of the paper with our figures beside its own.

Means over the finished runs have their standard deviation. Perplexities are exponentials of mean
losses; the paper's and ours are of different texts, so only their order can be compared.
"""

import math
from collections.abc import Sequence

import numpy as np

from moebench.evidence.record import RunRecord
from moebench.papers.plan import PaperTable
from moebench.statistics import Values
from reproductions.shazeer_2017.paper import BALANCE, FLAT, MOE_4, RIVALS
from reproductions.shazeer_2017.published import TABLE_6, TABLE_7

NOTHING = "–"
# CV of the load if 2 of 32 experts are drawn for each of 1536 tokens: root of (E - k) / (k T).
BY_LOT = math.sqrt((32 - 2) / (2 * 1536))
PAIRS = {  # our arm -> the corresponding model of the paper, if there is one
    "lstm_4x": "4xLSTM-512",
    "lstm_projected": "LSTM-2048-512",
    "moe_1_wide": "MoE-1-Wide",
    "moe_1_deep": "MoE-1-Deep",
    "moe_4": "MoE-4",
    "experts_32": "MoE-32",
    "experts_256": "MoE-256",
    "experts_64_h": "MoE-256-h",
}


def tables(records: Sequence[RunRecord]) -> list[PaperTable]:
    """Return both tables; an arm without a finished run has dashes."""
    return [_table_6(records), _table_7(records)]


def losses(records: Sequence[RunRecord], arm: str, metric: str = "valid/loss") -> Values:
    """Return a metric of the finished runs of an arm, by seed."""
    ours = [one for one in records if one.arm == arm and one.status == "finished"]
    return np.array([one.metrics[metric] for one in ours if metric in one.metrics])


def _table_6(records: Sequence[RunRecord]) -> PaperTable:
    measured = ("route/importance_cv", "route/cv", "route/max_over_mean")
    rows = []
    for arm, weights in BALANCE.items():
        theirs = TABLE_6[arm.removeprefix("balance_")]
        row = [", ".join(f"{weight:g}" for weight in weights)]
        row += [f"{theirs['perplexity']:g}", _perplexity(losses(records, arm))]
        for name, metric in zip(
            ("cv_importance", "cv_load", "max_over_mean"), measured, strict=True
        ):
            row += [f"{theirs[name]:g}", _mean(losses(records, arm, metric))]
        rows.append(row)
    quantities = ("perplexity", "CV(importance)", "CV(load)", "max/mean load")
    return PaperTable(
        name="table 6",
        title="Table 6, weights of the balance losses",
        caption="The paper: 4 of 256 experts, on text. Here: 2 of 32, on facts; loads are means "
        f"over the last fifth of training, where chance alone gives a CV of {BY_LOT:.2g}.",
        head=["weights", *(f"{q}, {who}" for q in quantities for who in ("paper", "here"))],
        rows=rows,
    )


def _table_7(records: Sequence[RunRecord]) -> PaperTable:
    rows = []
    for arm in (*RIVALS, MOE_4, *FLAT, "experts_64_h"):
        theirs = PAIRS.get(arm, "")
        finished = [one for one in records if one.arm == arm and one.status == "finished"]
        costs = [NOTHING, NOTHING]
        if finished:
            last = finished[-1]
            costs = [f"{last.params_total:,}", f"{last.flops_per_token:,.0f}"]
        printed = f"{TABLE_7[theirs]:g}" if theirs else NOTHING
        ours = losses(records, arm)
        rows.append([arm, *costs, _perplexity(ours), _mean(ours), theirs or NOTHING, printed])
    return PaperTable(
        name="table 7",
        title="Table 7 and Figure 2, models with equal operations",
        caption="FLOPs are those of a forward pass, including gate and softmax. The paper's models "
        "are 16 times as wide.",
        head=[
            *("arm", "parameters", "FLOPs a token", "perplexity", "loss, nats"),
            *("model of the paper", "its perplexity"),
        ],
        rows=rows,
    )


def _perplexity(loss: Values) -> str:
    """Return the exponential of the mean."""
    return f"{math.exp(loss.mean()):.2f}" if len(loss) else NOTHING


def _mean(values: Values) -> str:
    """Return mean and standard deviation, where there are enough."""
    if not len(values):
        return NOTHING
    spread = f" ± {values.std(ddof=1):.3f}" if len(values) > 1 else ""
    return f"{values.mean():.3f}{spread}"
