"""The balance loss in numbers: its value, its gradient, and its minimum. No training.

Source: Fedus, Zoph and Shazeer 2021 (arXiv 2101.03961), section 2.2, equations 4 to 6.
"""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linprog
from torch import Tensor

from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.losses.load_balance import LoadBalance
from reproductions.switch_2021.paper import ALPHA, SEARCHED, SIZES

SHARES = 8  # tokens in the search: loads are multiples of 1 / SHARES


def balance_loss() -> dict[str, float]:
    """Return alpha * N * sum_i f_i P_i and its gradient for uniform and for collapsed routing.

    For each N: `uniform/value@N` and `uniform/gradient@N`, the largest entry of the gradient by the
    scores; `collapsed/value@N`, if the first expert has all tokens and all probability, and
    `collapsed/gradient@N`, the gradient by that expert's mean probability.
    """
    metrics = {}
    for n in SIZES:
        logits_TE = torch.zeros(2 * n, n, dtype=torch.float64, requires_grad=True)
        even = _decision(logits_TE.softmax(dim=-1), torch.arange(2 * n) % n)
        value = ALPHA * LoadBalance()(even)
        (slope_TE,) = torch.autograd.grad(value, logits_TE)
        metrics[f"uniform/value@{n}"] = value.item()
        metrics[f"uniform/gradient@{n}"] = slope_TE.abs().max().item()

        probs_TE = torch.eye(n, dtype=torch.float64)[[0] * (2 * n)].requires_grad_()
        value = ALPHA * LoadBalance()(_decision(probs_TE, torch.zeros(2 * n, dtype=torch.int64)))
        (slope_TE,) = torch.autograd.grad(value, probs_TE)
        metrics[f"collapsed/value@{n}"] = value.item()
        metrics[f"collapsed/gradient@{n}"] = slope_TE[:, 0].sum().item()
    return metrics


def balance_minimum() -> dict[str, float]:
    """Return the smallest N * sum_i f_i P_i over routings where each token chooses its argmax.

    `minimum@N` for each N in SEARCHED; `by_hand` for the smallest counterexample: with 4 tokens
    and 2 experts, 3 tokens are undecided and go to the first expert, 1 is certain of the second.
    How ties are broken does not matter, since the loss is nearly the same anywhere near a tie.
    """
    probs_TE = torch.tensor([[0.5, 0.5]] * 3 + [[0.0, 1.0]], dtype=torch.float64)
    by_hand = LoadBalance()(_decision(probs_TE, torch.tensor([0, 0, 0, 1]))).item()
    return {"by_hand": by_hand, **{f"minimum@{n}": _search(n) for n in SEARCHED}}


def _decision(probs_TE: Tensor, expert_T: Tensor) -> RoutingDecision:
    """Return the decision that sends each token to one given expert."""
    weight_T1 = probs_TE.gather(1, expert_T[:, None])
    return tokens_choose(probs_TE.log(), probs_TE, expert_T[:, None], weight_T1)


def _search(n: int) -> float:
    """Return the smallest loss over all loads that are multiples of 1 / SHARES."""
    losses = []
    for count_E in _partitions(SHARES, n, SHARES):
        expert_T = torch.arange(n).repeat_interleave(torch.tensor(count_E))
        probs_EE = best_probabilities(np.array(count_E) / SHARES)
        losses.append(LoadBalance()(_decision(torch.from_numpy(probs_EE)[expert_T], expert_T)))
    return float(min(losses))


def _partitions(total: int, parts: int, largest: int) -> Iterator[list[int]]:
    """Yield every way to write a total as this many non-increasing counts, zeros allowed."""
    if parts == 0:
        if total == 0:
            yield []
        return
    for first in range(min(total, largest), -1, -1):
        for rest in _partitions(total - first, parts - 1, first):
            yield [first, *rest]


def best_probabilities(load_E: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return, for the tokens of each expert, the probabilities that minimise the loss.

    For fixed loads f the loss is linear in the probabilities: sum_j f_j sum_i f_i q_ji, where q_j
    is the row for tokens that go to j, sums to one, and has its largest entry at j. The rows are
    independent, so each is a linear program of its own.
    """
    n = len(load_E)
    rows = []
    for j in range(n):
        no_larger = np.eye(n)
        no_larger[:, j] -= 1  # q_ji - q_jj <= 0
        found = linprog(load_E, A_ub=no_larger, b_ub=np.zeros(n), A_eq=np.ones((1, n)), b_eq=[1.0])
        rows.append(found.x)
    return np.array(rows)
