"""Capacity: how many rows an expert accepts, who comes first, and what happens to the rest.

Source: Lepikhin et al. 2020, GShard (arXiv 2006.16668), section 2.2; Fedus et al. 2021, Switch
(arXiv 2101.03961), section 2.2, equation 3, and appendix B.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from moebench.moe.capacity.overflow import Drop
from moebench.moe.capacity.queues import place_in_queue
from moebench.moe.contract import decide, num_experts_of, wrapped
from moebench.moe.decision import RoutingDecision
from moebench.moe.sees import Sees, all_seen, sees

Priority = Literal["choice", "position", "score", "random"]
Rounding = Literal["floor", "ceil"]
LIMIT = 10**9  # keeps counts of rows within 64-bit integers


@dataclass(frozen=True)
class Capacity:
    """The one specification of capacity: formula, rounding, minimum, scope and priority.

    Rows per expert = factor x tokens / experts, per group of tokens, whatever k is; so two choices
    per token need a factor of 2 to fit, as in the papers above.

    Args:
        factor: times the rows that an even split of the tokens would give.
        rounding: `floor` or `ceil` of that number.
        minimum: rows that an expert accepts however small the group is.
        group: tokens that share a capacity; None: all tokens of a batch. With the length of a
            sequence (`data.length`), or a divisor of it, no sequence takes capacity from another.
        priority: who comes first: `choice` (all first choices before any second, then by
            position), `position`, `score` or `random`.

    Raises:
        ValueError: if a field is out of range or unknown.

    Example:
        Capacity(factor=1.25).rows(num_tokens=64, num_experts=8)  # 10
    """

    factor: float = 1.25
    rounding: Rounding = "floor"
    minimum: int = 0
    group: int | None = None
    priority: Priority = "choice"

    def __post_init__(self) -> None:
        if not 0 < self.factor <= LIMIT:
            raise ValueError(f"capacity.factor={self.factor}: must be above 0 and at most {LIMIT}")
        if not 0 <= self.minimum <= LIMIT:
            raise ValueError(f"capacity.minimum={self.minimum}: must be from 0 to {LIMIT} rows")
        if self.group is not None and not 1 <= self.group <= LIMIT:
            raise ValueError(f"capacity.group={self.group}: must be from 1 to {LIMIT} tokens")
        for key, names in (("rounding", get_args(Rounding)), ("priority", get_args(Priority))):
            if getattr(self, key) not in names:
                allowed = ", ".join(names)
                raise ValueError(f"capacity.{key}={getattr(self, key)}: must be one of {allowed}")

    def rows(self, num_tokens: int, num_experts: int) -> int:
        """Return the rows C that each expert accepts from one group of `num_tokens` tokens.

        Raises:
            ValueError: if that is less than one row.
        """
        # Rounded, because 1.15 x 100 / 5 is slightly below 23 in binary and would lose a row.
        exact = round(self.factor * num_tokens / num_experts, ndigits=9)
        if max(exact, self.minimum) < 1:
            enough = num_experts / max(1, num_tokens)
            raise ValueError(
                f"capacity.factor={self.factor}: gives {exact:.3g} rows per expert for "
                f"{num_tokens} tokens and {num_experts} experts; at least 1 is needed, "
                f"so a factor of {enough:.3g} or more, or capacity.minimum=1"
            )
        return max(self.minimum, math.ceil(exact) if self.rounding == "ceil" else int(exact))


def limit(
    decision: RoutingDecision,
    rows: int,
    group_A: Tensor | None = None,
    order_A: Tensor | None = None,
) -> RoutingDecision:
    """Keep, for each expert in each group, its first `rows` rows and no others.

    Args:
        decision: the decision to limit; rows already dropped stay dropped and use no capacity.
        rows: capacity C of one expert in one group.
        group_A: group of each row; None: one group.
        order_A: row numbers in order of priority; None: the order of the rows.
    """
    queue_A = decision.expert_A
    if group_A is not None:
        queue_A = queue_A + group_A * decision.num_experts
    place_A = place_in_queue(queue_A, waiting_A=decision.kept_A, order_A=order_A)
    return replace(decision, kept_A=decision.kept_A & (place_A < rows))


def priority_order(decision: RoutingDecision, priority: Priority) -> Tensor | None:
    """Return the row numbers in order of priority; None for the order of the rows."""
    if priority == "choice":
        return None
    if priority == "position":
        return decision.token_A.argsort(stable=True)
    if priority == "score":
        # Not by weight: normalised over the choices, the weight of a single choice is always 1.
        score_A = decision.probs_TE.detach()[decision.token_A, decision.expert_A]
        return score_A.argsort(stable=True, descending=True)
    return torch.randperm(decision.token_A.numel(), device=decision.token_A.device)


def seen_in_queues(priority: Priority, k: int | None) -> Sees:
    """Return which tokens of a group decide whether a row is kept.

    Args:
        priority: which rows come first.
        k: choices per token; None: unknown, so there may be several.
    """
    in_order = priority == "position" or (priority == "choice" and k == 1)
    return Sees.CAUSAL if in_order else Sees.SEQUENCE


def groups(decision: RoutingDecision, size: int | None) -> Tensor | None:
    """Return the group of each row; every `size` consecutive tokens form one.

    Raises:
        ValueError: if the tokens do not divide into such groups.
    """
    if size is None or size == decision.num_tokens:
        return None
    if decision.num_tokens % size:
        raise ValueError(f"capacity.group={size}: does not divide {decision.num_tokens} tokens")
    return decision.token_A // size


def experts_per_token(router: nn.Module) -> int | None:
    """Return the `k` of a router, or of the one it wraps; None if it is not fixed."""
    k, inner = getattr(router, "k", None), wrapped(router)
    return experts_per_token(inner) if k is None and inner is not None else k


class Limited(nn.Module):
    """Wrapper that gives the experts of any router a capacity.

    Args:
        dim: width D of a token.
        router: makes the wrapped router from the width.
        capacity: how many rows an expert accepts and which come first.
        overflow: what happens to the other rows; the default drops them (the residual connection
            around the layer carries the token on).
        eval_capacity: capacity outside training; None: as in training.
    """

    def __init__(
        self,
        dim: int,
        router: Callable[[int], nn.Module],
        capacity: Capacity,
        overflow: Callable[[], nn.Module] = Drop,
        eval_capacity: Capacity | None = None,
    ) -> None:
        super().__init__()
        self.router = router(dim)
        self.num_experts = num_experts_of(self.router)
        self.capacity = capacity
        self.eval_capacity = eval_capacity or capacity
        self.overflow = overflow()

    def lift_capacity(self) -> None:
        """Let every expert accept all rows, in training and outside it."""
        self.capacity = self.eval_capacity = Capacity(factor=self.num_experts)

    def sees(self, length: int | None, training: bool) -> Sees | None:
        """Return what the router sees, plus queues and overflow rule if a queue can overflow.

        A queue that crosses the border of a sequence sees tokens of other sequences.
        """
        capacity = self.capacity if training else self.eval_capacity
        inner = sees(self.router, length, training)
        if capacity.factor >= self.num_experts:  # no queue is ever full
            return inner
        queues = seen_in_queues(capacity.priority, experts_per_token(self.router))
        if not length or not capacity.group or length % capacity.group:
            queues |= Sees.OTHERS
        return all_seen(inner, queues, sees(self.overflow, length, training))

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD."""
        decision = decide(self.router, x_TD)
        if not decision.num_tokens:
            return decision
        capacity = self.capacity if self.training else self.eval_capacity
        rows = capacity.rows(capacity.group or decision.num_tokens, decision.num_experts)
        group_A = groups(decision, capacity.group)
        order_A = priority_order(decision, capacity.priority)
        limited = limit(decision, rows, group_A, order_A)
        result: RoutingDecision = self.overflow(limited, rows, group_A, order_A)
        return result
