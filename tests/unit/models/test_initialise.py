"""Initial weights: the paper's rule, and arms of one seed that start alike."""

import pytest
import torch
from torch import nn

from moebench.models import Decoder
from moebench.models.initialise import initialise
from moebench.models.t5_blocks import Shape
from moebench.moe.experts import Linear, ReluMLP
from moebench.moe.layer import Sparse
from moebench.moe.routers import Switch

SHAPE = Shape(width=64, layers=2, heads=2, hidden=128)


def decoder(seed: int, num_experts: int = 0, scale: float = 0.1) -> Decoder:
    torch.manual_seed(seed)
    sparse = Sparse(
        lambda dim: Switch(dim, num_experts), lambda dim, count: ReluMLP(dim, count, hidden=128)
    )
    return Decoder(50, SHAPE, sparse if num_experts else None, initial_scale=scale)


def parameters(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: parameter.detach() for name, parameter in model.named_parameters()}


@pytest.mark.parametrize("num_experts", [2, 8])
def test_dense_twin_and_sparse_model_of_one_seed_share_weights(num_experts: int) -> None:
    dense, sparse = parameters(decoder(3)), parameters(decoder(3, num_experts))
    alone = {"up", "down"}  # of the one block that is a mixture in the other arm
    shared = dense.keys() & sparse.keys()
    assert {name.split(".")[-2] for name in dense.keys() - shared} == alone
    for name in shared:
        assert torch.equal(dense[name], sparse[name]), name


def test_same_seed_same_weights_other_seed_others() -> None:
    one, same, other = (parameters(decoder(seed, 4)) for seed in (1, 1, 2))
    for name in one:
        assert torch.equal(one[name], same[name])
        assert torch.equal(one[name], other[name]) == name.endswith("norm.weight"), name


def test_parameters_of_one_model_are_drawn_apart() -> None:
    attention = decoder(0).get_submodule("decoder.blocks.0.attention.inner")
    query, key = (attention.get_parameter(f"{name}.block.weight") for name in ("query", "key"))
    assert not torch.equal(query, key)


def test_two_models_in_a_row_differ() -> None:
    torch.manual_seed(0)
    first, second = Decoder(50, SHAPE), Decoder(50, SHAPE)
    assert not torch.equal(first.embedding.weight, second.embedding.weight)


@pytest.mark.parametrize(
    ("name", "fan_in"),
    [
        ("decoder.blocks.0.feed_forward.inner.block.down.weight", 128),
        ("decoder.blocks.0.attention.inner.query.block.weight", 64),
        ("decoder.blocks.1.feed_forward.inner.moe.router.score.weight", 64),
        ("decoder.blocks.1.feed_forward.inner.moe.experts.up_EDF", 64),
        ("decoder.blocks.1.feed_forward.inner.moe.experts.down_EFD", 128),
    ],
)
def test_matrices_are_truncated_normals(name: str, fan_in: int) -> None:
    weight = parameters(decoder(0, num_experts=8, scale=0.5))[name]
    in_deviations = weight / (0.5 / fan_in) ** 0.5
    assert 1.7 < in_deviations.abs().max() <= 2.0 + 1e-6
    # A standard normal cut at two has deviation sqrt(1 - 4 phi(2) / (2 Phi(2) - 1)) = 0.8796.
    margin = 4 * 0.88 / weight.numel() ** 0.5
    assert abs(in_deviations.std().item() - 0.8796) < margin
    assert abs(in_deviations.mean().item()) < margin


def test_embedding_is_normal_whatever_the_scale() -> None:
    narrow, wide = (decoder(0, scale=scale).embedding.weight for scale in (0.1, 1.0))
    assert torch.equal(narrow, wide)
    assert abs(narrow.std().item() * 64**0.5 - 1) < 0.05
    assert narrow.abs().max() * 64**0.5 > 2.5  # not truncated


def test_vectors_and_zeros_stay() -> None:
    model = nn.ModuleList([Linear(4, 3, bias=True), nn.RMSNorm(4)])
    initialise(model, seed=0, scale=1.0)
    kept = parameters(model)
    assert not kept["0.bias_EF"].any()
    assert torch.equal(kept["1.weight"], torch.ones(4))
    assert kept["0.weight_EDF"].any()


def test_scale_must_be_positive() -> None:
    with pytest.raises(ValueError, match=r"^initial_scale=-1: must be above 0$"):
        initialise(nn.Linear(2, 2), seed=0, scale=-1)
