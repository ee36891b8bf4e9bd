"""What holds for every input: permutation, conservation, limits, and the dense special case."""

from collections import Counter

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from moebench.moe import Capacity, Limited, MoELayer
from moebench.moe.capacity.limit import Priority, groups, limit, priority_order
from moebench.moe.capacity.overflow import Drop, NextExpert
from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.dispatch import Grouped
from moebench.moe.experts import ReluMLP
from moebench.moe.routers import AllExperts, Switch, TopK

D = 6
sizes = st.tuples(st.integers(1, 5), st.integers(1, 4), st.integers(1, 6), st.integers(0, 10**6))


def draw(size: tuple[int, int, int, int]) -> tuple[RoutingDecision, int]:
    """A decision with E experts and k choices over a multiple of 4 tokens, and a seed."""
    experts, k, quarter, seed = size
    generator = torch.Generator().manual_seed(seed)
    # Some experts are favourites of all tokens, or capacity would seldom matter.
    logits_TE = torch.randn(4 * quarter, experts, generator=generator)
    logits_TE = logits_TE + 2 * torch.randn(experts, generator=generator)
    probs_TE = logits_TE.softmax(-1)
    weight_TK, expert_TK = probs_TE.topk(min(k, experts))
    return tokens_choose(logits_TE, probs_TE, expert_TK, weight_TK), seed


@settings(deadline=None, max_examples=60)
@given(sizes)
def test_permuted_tokens_get_permuted_answers(size: tuple[int, int, int, int]) -> None:
    experts, k, quarter, seed = size
    torch.manual_seed(seed)
    layer = MoELayer(TopK(D, experts, min(k, experts)), ReluMLP(D, experts, 8), Grouped()).double()
    x_TD = torch.randn(4 * quarter, D, dtype=torch.float64)
    order = torch.randperm(len(x_TD))
    torch.testing.assert_close(layer(x_TD[order])[0], layer(x_TD)[0][order])


@settings(deadline=None, max_examples=100)
@given(sizes, st.integers(1, 6), st.sampled_from([None, 4, 2]))
def test_no_expert_exceeds_its_capacity_and_none_is_wasted(
    size: tuple[int, int, int, int], rows: int, group: int | None
) -> None:
    decision, _ = draw(size)
    group_A = groups(decision, group)
    limited = limit(decision, rows, group_A)
    queue_A = decision.expert_A + (0 if group_A is None else group_A * decision.num_experts)
    asked = queue_A.bincount()
    served = queue_A[limited.kept_A].bincount(minlength=len(asked))
    assert torch.equal(served, asked.clamp(max=rows))


@settings(deadline=None, max_examples=100)
@given(
    sizes,
    st.integers(1, 6),
    st.sampled_from([None, 4, 2]),
    st.sampled_from(["choice", "position", "score", "random"]),
)
def test_capacity_is_a_walk_through_the_rows_in_order(
    size: tuple[int, int, int, int], rows: int, group: int | None, priority: Priority
) -> None:
    """Also conservation: a limit drops rows and leaves everything else as it was."""
    decision, seed = draw(size)
    torch.manual_seed(seed)
    order_A = priority_order(decision, priority)
    limited = limit(decision, rows, groups(decision, group), order_A)
    walk = range(len(decision.token_A)) if order_A is None else order_A.tolist()
    assert sorted(walk) == list(range(len(decision.token_A)))
    taken: Counter[tuple[int, int]] = Counter()
    for row in walk:
        own = int(decision.token_A[row]) // (group or decision.num_tokens)
        place = own, int(decision.expert_A[row])
        assert limited.kept_A[row] == (taken[place] < rows)
        taken[place] += 1
    for name in ("logits_TE", "probs_TE", "token_A", "expert_A", "weight_A"):
        assert torch.equal(getattr(limited, name), getattr(decision, name))
    chosen = min(size[1], size[0])
    assert (limited.token_A[limited.kept_A].bincount() <= chosen).all()


@settings(deadline=None, max_examples=100)
@given(sizes, st.integers(1, 6), st.sampled_from([None, 4, 2]))
def test_next_expert_fills_capacity_and_moves_no_placed_row(
    size: tuple[int, int, int, int], rows: int, group: int | None
) -> None:
    decision, _ = draw(size)
    group_A = groups(decision, group)
    limited = limit(decision, rows, group_A)
    moved = NextExpert()(limited, rows, group_A)
    sat = limited.kept_A
    assert torch.equal(moved.expert_A[sat], limited.expert_A[sat])
    assert moved.kept_A[sat].all()
    offset_A = 0 if group_A is None else group_A * decision.num_experts
    served = (moved.expert_A + offset_A)[moved.kept_A].bincount(
        minlength=int((decision.expert_A + offset_A).max()) + decision.num_experts
    )
    assert served.max() <= rows
    held = set(
        zip(
            moved.token_A[moved.kept_A].tolist(), moved.expert_A[moved.kept_A].tolist(), strict=True
        )
    )
    assert len(held) == int(moved.kept_A.sum()), "no expert twice for one token"
    wished = set(zip(decision.token_A.tolist(), decision.expert_A.tolist(), strict=True))
    for row in (~moved.kept_A).nonzero().flatten().tolist():
        token = int(moved.token_A[row])
        offset = 0 if group_A is None else int(group_A[row]) * decision.num_experts
        for expert in range(decision.num_experts):
            if (token, expert) not in held | wished:
                assert served[expert + offset] >= rows, "left out although there was room"


@settings(deadline=None, max_examples=40)
@given(sizes)
def test_unlimited_capacity_changes_nothing(size: tuple[int, int, int, int]) -> None:
    experts, k, quarter, seed = size
    torch.manual_seed(seed)
    inner = TopK(D, experts, min(k, experts))
    x_TD = torch.randn(4 * quarter, D)
    free = inner(x_TD)
    for rule in (Drop, NextExpert):
        limited = Limited(D, lambda _: inner, Capacity(factor=float(experts)), rule)(x_TD)
        for name in ("token_A", "expert_A", "weight_A", "kept_A", "requested_A"):
            assert torch.equal(getattr(limited, name), getattr(free, name))


@settings(deadline=None, max_examples=40)
@given(sizes)
def test_top_k_of_all_experts_is_all_experts(size: tuple[int, int, int, int]) -> None:
    experts, _, quarter, seed = size
    torch.manual_seed(seed)
    everyone, top = AllExperts(D, experts), TopK(D, experts, experts)
    top.load_state_dict(everyone.state_dict())
    mixture = ReluMLP(D, experts, 8)
    x_TD = torch.randn(4 * quarter, D)
    answers = [MoELayer(router, mixture, Grouped())(x_TD)[0] for router in (everyone, top)]
    torch.testing.assert_close(*answers)
    dense_TD = torch.zeros_like(x_TD)
    for expert, probability_T in enumerate(everyone(x_TD).probs_TE.T):
        answer_TD = (x_TD @ mixture.up_EDF[expert]).relu() @ mixture.down_EFD[expert]
        dense_TD = dense_TD + probability_T[:, None] * answer_TD
    torch.testing.assert_close(answers[0], dense_TD)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6))
def test_one_expert_is_the_dense_block_to_the_bit(seed: int) -> None:
    """The same products on the same rows: forward, gradients, and ten steps of Adam."""
    torch.manual_seed(seed)
    mixture = MoELayer(Switch(D, 1, jitter=0.0), ReluMLP(D, 1, 8), Grouped())
    up = mixture.experts.up_EDF.detach()[0].clone().requires_grad_()
    down = mixture.experts.down_EFD.detach()[0].clone().requires_grad_()
    sparse_optimizer = torch.optim.AdamW(mixture.experts.parameters(), lr=0.01)
    dense_optimizer = torch.optim.AdamW([up, down], lr=0.01)
    for _ in range(10):
        x_TD = torch.randn(8, D)
        sparse, dense = mixture(x_TD)[0], (x_TD @ up).relu() @ down
        assert torch.equal(sparse, dense)
        for loss, optimizer in (
            (sparse.square().mean(), sparse_optimizer),
            (dense.square().mean(), dense_optimizer),
        ):
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert torch.equal(mixture.experts.up_EDF[0], up)
    assert torch.equal(mixture.experts.down_EFD[0], down)
