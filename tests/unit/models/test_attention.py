"""Attention and its position buckets, against values worked out by hand."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from torch.profiler import ProfilerActivity, profile

from moebench.models.attention import Attention, PositionBias, attend, bucket
from moebench.moe.experts import Linear
from moebench.moe.layer import Sparse
from moebench.moe.routers import Switch

E1, E2 = math.e, math.e**2


def buckets(causal: bool, *distances: int) -> list[int]:
    return bucket(torch.tensor(distances), causal=causal).tolist()


def test_buckets_by_hand() -> None:
    # Keys after the query share a bucket and are masked; 16 before it have buckets of their own.
    assert buckets(True, 0, 5, -15, -16) == [0, 0, 15, 16]
    # 16 + 16 ln(d/16) / ln(128/16) is 17.7, 23.1 and 30.1.
    assert buckets(True, -20, -40, -100, -129, -5000) == [17, 23, 30, 31, 31]
    # Two-sided: keys before the query have buckets 0 to 15, those after it 16 to 31.
    assert buckets(False, 0, -7, 7) == [0, 7, 16 + 7]
    # 8 + 8 ln(d/8) / ln(128/8) is 8.3, 10.6, 13.3 and 15.98.
    assert buckets(False, -9, 20, -50, -127, 5000) == [8, 16 + 10, 13, 15, 31]


@pytest.mark.parametrize("causal", [True, False])
def test_bias_is_looked_up_by_key_minus_query(causal: bool) -> None:
    bias = PositionBias(heads=2, causal=causal)
    weight_HN = torch.arange(64.0).view(2, 32)
    with torch.no_grad():
        bias.of_bucket.weight.copy_(weight_HN)
    before = torch.tensor([[0.0, 0, 0], [1, 0, 0], [2, 1, 0]])
    after = torch.tensor([[0.0, 17, 18], [0, 0, 17], [0, 0, 0]])
    hidden = torch.tensor([[0, -math.inf, -math.inf], [0, 0, -math.inf], [0, 0, 0]])
    expected_LL = before + (hidden if causal else after)
    torch.testing.assert_close(bias(3), torch.stack([expected_LL, expected_LL + 32]))


def identity(attention: Attention) -> Attention:
    with torch.no_grad():
        for parameter in attention.parameters():
            parameter.copy_(torch.eye(parameter.shape[0]))
    return attention


def test_attention_averages_values_by_the_softmax_of_products() -> None:
    x_BLD = torch.tensor([[[1.0], [2.0]]])
    y_BLD, decisions = identity(Attention(dim=1, heads=1))(x_BLD)
    expected = [(1 + 2 * E1) / (1 + E1), (1 + 2 * E2) / (1 + E2)]  # scores 1, 2 and 2, 4
    torch.testing.assert_close(y_BLD.flatten(), torch.tensor(expected))
    assert decisions == []


def test_scores_are_divided_by_the_root_of_the_heads_width() -> None:
    x_BLD = torch.tensor([[[2.0, 0, 0, 0], [0, 0, 0, 0]]])
    y_BLD, _ = identity(Attention(dim=4, heads=1))(x_BLD)  # scores 4 / 2 and 0 of the first token
    torch.testing.assert_close(y_BLD[0, 0, 0].item(), 2 * E2 / (E2 + 1), rtol=1e-6, atol=0)


def test_each_head_has_its_own_scores_and_bias() -> None:
    x_BLD = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    bias_HLL = torch.tensor([[[0.0, math.log(3)]] * 2, [[0.0, -math.inf]] * 2])
    y_BLD, _ = identity(Attention(dim=2, heads=2))(x_BLD, bias_HLL)
    # Head 1 sees feature 1: token 1 scores 1, ln 3, token 2 scores 0, ln 3. Head 2 sees key 1 only.
    expected = [[E1 / (E1 + 3), 0.0], [1 / 4, 0.0]]
    torch.testing.assert_close(y_BLD[0], torch.tensor(expected))


def test_cross_attention_reads_the_context() -> None:
    x_BLD, context_BLD = torch.tensor([[[1.0]]]), torch.tensor([[[1.0], [2.0], [2.0]]])
    y_BLD, _ = identity(Attention(dim=1, heads=1))(x_BLD, None, context_BLD)
    torch.testing.assert_close(y_BLD.item(), (1 + 4 * E1) / (1 + 2 * E1), rtol=1e-6, atol=0)


def test_experts_replace_query_key_and_value_but_not_the_output() -> None:
    torch.manual_seed(0)
    sparse = Sparse(lambda dim: Switch(dim, num_experts=1), Linear)
    mixed, plain = Attention(8, 2, sparse), Attention(8, 2)
    with torch.no_grad():
        for name in ("query", "key", "value"):
            weight_EDF = mixed.get_parameter(f"{name}.moe.experts.weight_EDF")
            plain.get_parameter(f"{name}.block.weight").copy_(weight_EDF[0].T)
        plain.out.weight.copy_(mixed.out.weight)
    x_BLD: Tensor = torch.randn(2, 5, 8)
    y_BLD, decisions = mixed(x_BLD)
    torch.testing.assert_close(y_BLD, plain(x_BLD)[0])
    assert [decision.num_tokens for decision in decisions] == [10, 10, 10]
    assert isinstance(mixed.out, nn.Linear)


@pytest.mark.parametrize("causal", [True, False])
def test_training_a_bias_gives_the_answers_and_gradients_of_torch(causal: bool) -> None:
    query, key, value = torch.randn(3, 2, 4, 5, 3, dtype=torch.float64).requires_grad_()
    bias = PositionBias(heads=4, causal=causal).double()
    of_bucket = bias.of_bucket.weight
    expected = scaled_dot_product_attention(query, key, value, attn_mask=bias(5))
    answer = attend(query, key, value, bias(5))
    torch.testing.assert_close(answer, expected)
    weight = torch.randn_like(answer)
    inputs = [query, key, value, of_bucket]
    found = torch.autograd.grad((answer * weight).sum(), inputs)
    wanted = torch.autograd.grad((expected * weight).sum(), inputs)
    torch.testing.assert_close(found, wanted)


def test_training_a_bias_looks_for_no_query_that_sees_nothing() -> None:
    attention, bias = Attention(dim=4, heads=2), PositionBias(heads=2, causal=True)
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        attention(torch.randn(1, 3, 4), bias(3))
    names = {event.key for event in seen.key_averages()}
    assert "aten::_softmax" in names
    assert "aten::_safe_softmax" not in names
