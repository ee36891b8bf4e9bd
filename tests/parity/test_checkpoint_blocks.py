"""Single blocks of transformers as layers: outputs and gradients."""

from collections.abc import Callable

import pytest
import torch
import transformers
from torch import nn
from transformers.models.switch_transformers.modeling_switch_transformers import (
    SwitchTransformersSparseMLP,
)

from moebench.interop import layer_from

from .checkpoints import CASES, assert_close

Small = Callable[..., nn.Module]

BLOCKS = {
    "mixtral": "MixtralSparseMoeBlock",
    "olmoe": "OlmoeSparseMoeBlock",
    "olmoe, normalised": "OlmoeSparseMoeBlock",
    "qwen2": "Qwen2MoeSparseMoeBlock",
    "qwen3": "Qwen3MoeSparseMoeBlock",
    "deepseek v2": "DeepseekV2Moe",
    "deepseek v2, groups": "DeepseekV2Moe",
    "deepseek v3": "DeepseekV3MoE",
    "dots1, groups": "Dots1MoE",
    "glm4": "Glm4MoeMoE",
    "minimax m2": "MiniMaxM2SparseMoeBlock",
    "hunyuan": "HunYuanMoEV1Moe",
    "granite": "GraniteMoeMoE",
    "granite, shared": "GraniteMoeSharedMoE",
    "ernie": "Ernie4_5_MoeSparseMoeBlock",
    "ernie, every second, untied": "Ernie4_5_MoeSparseMoeBlock",
}


ROUTERS = ("gate.weight", "gate.wg.weight", "router.weight")


@pytest.mark.parametrize("case", BLOCKS)
def test_one_block(case: str, small: Small) -> None:
    kind, settings = CASES[case]
    theirs = small(kind, **settings)
    name = BLOCKS[case]
    block = next(module for module in theirs.modules() if type(module).__name__ == name)
    layer = layer_from(block)
    x_BLD = torch.randn(3, 5, 16, generator=torch.Generator().manual_seed(2))
    inputs = [x_BLD.clone().requires_grad_() for _ in range(2)]
    expected = block(inputs[0])
    found, decision = layer(inputs[1].flatten(0, 1))
    torch.testing.assert_close(found.view(expected.shape), expected, atol=1e-5, rtol=1e-5)
    assert decision.num_tokens == 15
    expected.square().sum().backward()
    found.square().sum().backward()
    assert_close(inputs[1].grad, inputs[0].grad, 1e-4, "input")
    [router] = [tensor for key, tensor in block.named_parameters() if key in ROUTERS]
    assert_close(layer.router.score.weight.grad, router.grad, 1e-4, "router")
    stacked = block.experts.gate_up_proj.grad.transpose(1, 2)
    assert_close(layer.experts.gate_up_EDF.grad, stacked, 1e-4, "experts")


@pytest.mark.parametrize("places", [1, 2, 100])
def test_one_block_of_switch(places: int) -> None:
    config = transformers.SwitchTransformersConfig(
        d_model=16, d_ff=24, num_experts=4, expert_capacity=places
    )
    torch.manual_seed(0)
    block = SwitchTransformersSparseMLP(config).eval()
    x_BLD = torch.randn(3, 8, 16)
    found, decision = layer_from(block, length=8)(x_BLD.flatten(0, 1))
    torch.testing.assert_close(found.view(3, 8, 16), block(x_BLD), atol=1e-5, rtol=1e-5)
    assert decision.kept_A.all() == (places == 100)


def test_an_unknown_block_is_refused() -> None:
    with pytest.raises(ValueError, match="Linear: not a supported block; none is near it"):
        layer_from(nn.Linear(2, 2))
