"""Types of numbers in checkpoints: routers and their biases stay as exact as they were."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import transformers
from torch import nn

from moebench.interop import from_pretrained, layer_from, save_pretrained

Small = Callable[..., nn.Module]


@pytest.mark.parametrize("dtype", ["bfloat16", "float32", "float64"])
@pytest.mark.parametrize("stored", [torch.float32, torch.bfloat16])
def test_types(small: Small, tmp_path: Path, stored: torch.dtype, dtype: str) -> None:
    theirs = small("Mixtral").to(stored)
    theirs.save_pretrained(tmp_path)
    assert from_pretrained(tmp_path).embedding.weight.dtype == stored
    ours = from_pretrained(tmp_path, dtype)
    expected = theirs.model.embed_tokens.weight.to(getattr(torch, dtype))
    assert torch.equal(ours.embedding.weight, expected)


def biased(small: Small, dtype: torch.dtype) -> nn.Module:
    """DeepSeek-V3's block in its own number of experts, as transformers loads it."""
    block = small("DeepseekV3", n_routed_experts=256, num_experts_per_tok=8, num_hidden_layers=2)
    generator = torch.Generator().manual_seed(3)
    moe = block.model.layers[1].mlp
    with torch.no_grad():
        moe.gate.weight.copy_(0.02 * torch.randn(256, 16, generator=generator))
        moe.gate.e_score_correction_bias.copy_(10 + 0.1 * torch.randn(256, generator=generator))
    bias = moe.gate.e_score_correction_bias.clone()
    moe.to(dtype)
    moe.gate.e_score_correction_bias = bias  # kept in float32 whatever the rest is
    return moe


def test_the_bias_of_a_bfloat16_block_stays_exact(small: Small) -> None:
    moe = biased(small, torch.bfloat16)
    layer = layer_from(moe)
    assert layer.router.bias_E.dtype == torch.float32
    assert layer.experts.down_EFD.dtype == torch.bfloat16
    x_TD = torch.randn(500, 16, generator=torch.Generator().manual_seed(2)).bfloat16()
    _, _, expected_TK = moe.gate(x_TD)
    _, decision = layer(x_TD)
    found_TK = decision.expert_A.view(8, -1).T
    assert torch.equal(found_TK.sort(dim=1).values, expected_TK.sort(dim=1).values)


def test_a_block_in_float64_keeps_all_digits(small: Small) -> None:
    moe = small("DeepseekV3").double().model.layers[1].mlp
    with torch.no_grad():
        moe.gate.weight += 1e-12 * torch.randn(8, 16, dtype=torch.float64)
    layer = layer_from(moe)
    assert torch.equal(layer.router.score.weight, moe.gate.weight)
    assert layer.router.bias_E.dtype == torch.float64


def test_a_bfloat16_checkpoint_keeps_the_bias_in_float32(small: Small, tmp_path: Path) -> None:
    theirs = small("DeepseekV3")
    gate = theirs.model.layers[1].mlp.gate
    with torch.no_grad():
        gate.e_score_correction_bias.copy_(10 + 0.01 * torch.randn(8))
    theirs.save_pretrained(tmp_path)
    ours = from_pretrained(tmp_path, "bfloat16")
    bias_E = ours.blocks[1].feed_forward.inner.moe.router.bias_E
    assert torch.equal(bias_E, gate.e_score_correction_bias)
    cast = from_pretrained(tmp_path).to(torch.bfloat16)
    assert torch.equal(cast.blocks[1].feed_forward.inner.moe.router.bias_E, bias_E)
    save_pretrained(ours, tmp_path / "ours")
    again = from_pretrained(tmp_path / "ours")
    assert torch.equal(again.blocks[1].feed_forward.inner.moe.router.bias_E, bias_E)


def test_a_bfloat16_checkpoint_keeps_a_router_in_float32(small: Small, tmp_path: Path) -> None:
    small("Ernie4_5_Moe", dtype="bfloat16").save_pretrained(tmp_path / "first")
    kind = transformers.Ernie4_5_MoeForCausalLM
    theirs = kind.from_pretrained(tmp_path / "first", dtype="bfloat16")
    gate = theirs.model.layers[1].mlp.gate
    assert gate.weight.dtype == torch.float32
    with torch.no_grad():
        gate.weight += 1e-4
        gate.moe_statics.e_score_correction_bias += 1
    theirs.save_pretrained(tmp_path / "theirs")
    ours = from_pretrained(tmp_path / "theirs")
    router = ours.blocks[1].feed_forward.inner.moe.router
    assert ours.embedding.weight.dtype == torch.bfloat16
    assert torch.equal(router.score.weight, gate.weight)
    assert torch.equal(router.bias_E, gate.moe_statics.e_score_correction_bias[0])
    save_pretrained(ours, tmp_path / "ours")
    again = kind.from_pretrained(tmp_path / "ours", dtype="bfloat16")
    assert torch.equal(again.model.layers[1].mlp.gate.weight, gate.weight)
    assert torch.equal(
        from_pretrained(tmp_path / "ours").state_dict()["embedding.weight"], ours.embedding.weight
    )


def test_a_router_that_was_cast_is_written_as_it_is(small: Small, tmp_path: Path) -> None:
    small("Ernie4_5_Moe").save_pretrained(tmp_path / "theirs")
    ours = from_pretrained(tmp_path / "theirs").to(torch.bfloat16)
    save_pretrained(ours, tmp_path / "ours")
    again = from_pretrained(tmp_path / "ours").blocks[1].feed_forward.inner.moe.router
    weight = ours.blocks[1].feed_forward.inner.moe.router.score.weight
    assert torch.equal(again.score.weight, weight.float())
