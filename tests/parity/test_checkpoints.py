"""Checkpoints against transformers: logits, gradients, and what we write is what it reads."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import transformers
from torch import Tensor, nn

from moebench.interop import from_pretrained, layer_from, save_pretrained
from moebench.interop.architectures import ARCHITECTURES
from moebench.interop.stacked_experts import match_stored
from moebench.interop.tensors import INDEX, SINGLE, find
from moebench.models import RotaryDecoder
from moebench.models.sampling import Sampling, generate

LIKELIEST = Sampling(temperature=0)
Small = Callable[..., nn.Module]
YARN = {
    "rope_type": "yarn",
    "rope_theta": 10000.0,
    "factor": 4.0,
    "original_max_position_embeddings": 16,
}
STRETCHED = {"type": "dynamic", "factor": 1.0, "alpha": 50.0, "rope_theta": 100.0}
CASES = {  # class in transformers, and what differs from the smallest model of it
    "mixtral": ("Mixtral", {"head_dim": None}),
    "mixtral, window": ("Mixtral", {"num_key_value_heads": 1, "sliding_window": 5}),
    "mixtral, wide heads, tied": (
        "Mixtral",
        {"head_dim": 6, "num_key_value_heads": 4, "tie_word_embeddings": True},
    ),
    "olmoe": ("Olmoe", {}),
    "olmoe, normalised": ("Olmoe", {"norm_topk_prob": True}),
    "qwen2": ("Qwen2Moe", {}),
    "qwen2, dense first": ("Qwen2Moe", {"num_key_value_heads": 4, "mlp_only_layers": [0]}),
    "qwen3": ("Qwen3Moe", {}),
    "qwen3, every second": (
        "Qwen3Moe",
        {"decoder_sparse_step": 2, "norm_topk_prob": True, "rope_parameters": YARN},
    ),
    "deepseek v2": ("DeepseekV2", {}),
    "deepseek v2, groups": (
        "DeepseekV2",
        {
            "q_lora_rank": 10,
            "topk_method": "group_limited_greedy",
            "n_group": 4,
            "topk_group": 2,
            "routed_scaling_factor": 3.0,
            "rope_parameters": {**YARN, "mscale": 0.7, "mscale_all_dim": 0.9},
        },
    ),
    "deepseek v3": ("DeepseekV3", {"q_lora_rank": 10, "n_group": 4, "topk_group": 2}),
    "deepseek v3, plain": (
        "DeepseekV3",
        {
            "rope_interleave": False,
            "norm_topk_prob": False,
            "attention_bias": True,
            "rope_parameters": {**YARN, "mscale": 1.0, "mscale_all_dim": 1.0},
        },
    ),
    "dots1": ("Dots1", {}),
    "dots1, groups": (
        "Dots1",
        {
            "num_key_value_heads": 4,
            "n_shared_experts": 2,
            "n_group": 4,
            "topk_group": 2,
            "norm_topk_prob": True,
            "routed_scaling_factor": 2.0,
            "tie_word_embeddings": True,
        },
    ),
    "glm4": ("Glm4Moe", {}),
    "glm4, norms and biases": (
        "Glm4Moe",
        {
            "num_key_value_heads": 4,
            "use_qk_norm": True,
            "attention_bias": True,
            "norm_topk_prob": False,
            "rope_parameters": {**YARN, "partial_rotary_factor": 0.75},
        },
    ),
    "glm4 lite": ("Glm4MoeLite", {}),
    "glm4 lite, two dense": (
        "Glm4MoeLite",
        {
            "mlp_layer_types": ["dense", "dense", "sparse"],
            "q_lora_rank": 10,
            "rope_parameters": {**YARN, "mscale": 0.7, "mscale_all_dim": 0.9},
        },
    ),
    "minimax m2": ("MiniMaxM2", {"rotary_dim": 4}),
    "minimax m2, whole heads": ("MiniMaxM2", {"num_key_value_heads": 4}),
    "hunyuan": ("HunYuanMoEV1", {"rope_parameters": STRETCHED}),
    "hunyuan, lists": (
        "HunYuanMoEV1",
        {
            "moe_topk": [2, 2, 2],
            "num_key_value_heads": 4,
            "head_dim": 4,
            "tie_word_embeddings": True,
        },
    ),
    "granite": ("GraniteMoe", {}),
    "granite, wide heads, tied": (
        "GraniteMoe",
        {"head_dim": 8, "tie_word_embeddings": True, "rope_parameters": YARN},
    ),
    "granite, shared": ("GraniteMoeShared", {}),
    "granite, shared without": ("GraniteMoeShared", {"shared_intermediate_size": 0}),
    "ernie": ("Ernie4_5_Moe", {}),
    "ernie, every second, untied": (
        "Ernie4_5_Moe",
        {
            "num_hidden_layers": 5,
            "moe_layer_interval": 2,
            "moe_layer_start_index": 2,
            "moe_num_shared_experts": 0,
            "num_key_value_heads": 4,
            "head_dim": 8,
            "tie_word_embeddings": False,
        },
    ),
}


@pytest.fixture(params=CASES)
def saved(request: pytest.FixtureRequest, small: Small, tmp_path: Path) -> tuple[nn.Module, Path]:
    name, settings = CASES[request.param]
    model = small(name, **settings)
    model.save_pretrained(tmp_path / "theirs")
    return model, tmp_path / "theirs"


def ids() -> Tensor:
    return torch.randint(40, (3, 24), generator=torch.Generator().manual_seed(1))


def logits(model: RotaryDecoder) -> Tensor:
    return model(SimpleNamespace(input_BL=ids(), context_BL=None)).prediction


def assert_close(ours: Tensor, theirs: Tensor, tolerance: float, name: str) -> None:
    """Compare to a share of the largest entry."""
    size = theirs.abs().max().clamp(min=1e-30)
    assert ours.shape == theirs.shape, name
    assert (ours - theirs).abs().max() / size < tolerance, name


def test_logits_and_gradients(saved: tuple[nn.Module, Path]) -> None:
    theirs, folder = saved
    ours = from_pretrained(folder)
    expected = theirs(input_ids=ids()).logits
    found = logits(ours)
    assert (found - expected).abs().max() < 1e-5 * expected.abs().max().clamp(min=1)
    direction = torch.randn(expected.shape, generator=torch.Generator().manual_seed(2))
    (expected * direction).sum().backward()
    (found * direction).sum().backward()
    kind = ARCHITECTURES[theirs.config.model_type]
    mine = {name: parameter.grad for name, parameter in ours.named_parameters()}
    gradients = {name: parameter.grad for name, parameter in theirs.named_parameters()}
    compared = 0
    for piece in match_stored(list(kind.mappings(ours)), theirs.state_dict(), kind.in_memory):
        if piece.ours in mine:
            gradient = gradients[piece.theirs]
            assert gradient is not None, piece.theirs
            assert_close(piece.view(mine), gradient, 1e-4, piece.theirs)
            compared += gradient.numel()
    assert compared == sum(parameter.numel() for parameter in ours.parameters())


def test_the_likeliest_text_is_that_of_transformers(saved: tuple[nn.Module, Path]) -> None:
    theirs, folder = saved
    prompt = ids()[:1, :8]
    settings = transformers.GenerationConfig(max_new_tokens=12, do_sample=False, pad_token_id=0)
    written = theirs.generate(prompt, generation_config=settings)[0, 8:].tolist()
    assert list(generate(from_pretrained(folder), prompt[0].tolist(), 12, LIKELIEST)) == written


def test_what_we_write_transformers_reads(saved: tuple[nn.Module, Path], tmp_path: Path) -> None:
    """In many files, which is harder to read back than in one."""
    theirs, folder = saved
    save_pretrained(from_pretrained(folder), tmp_path / "ours", shard_bytes=4000)
    assert (tmp_path / "ours" / INDEX).exists()
    again, report = type(theirs).from_pretrained(tmp_path / "ours", output_loading_info=True)
    assert not any(report.values()), report
    expected = theirs(input_ids=ids()).logits
    torch.testing.assert_close(again.eval()(input_ids=ids()).logits, expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(
        logits(from_pretrained(tmp_path / "ours")), expected, atol=1e-5, rtol=1e-5
    )


def test_a_small_model_is_one_file(small: Small, tmp_path: Path) -> None:
    theirs = small("Mixtral")
    theirs.save_pretrained(tmp_path / "theirs")
    save_pretrained(from_pretrained(tmp_path / "theirs"), tmp_path / "ours")
    assert [path.name for path in (tmp_path / "ours").glob("*.safetensors")] == [SINGLE]
    again = type(theirs).from_pretrained(tmp_path / "ours").eval()
    torch.testing.assert_close(again(input_ids=ids()).logits, theirs(input_ids=ids()).logits)


def test_shards_of_transformers(small: Small, tmp_path: Path) -> None:
    theirs = small("Mixtral")
    theirs.save_pretrained(tmp_path, max_shard_size="4KB")
    assert len({place.file for place in find(tmp_path).values()}) > 3
    torch.testing.assert_close(
        logits(from_pretrained(tmp_path)), theirs(input_ids=ids()).logits, atol=1e-5, rtol=1e-5
    )


@pytest.mark.parametrize("dtype", ["bfloat16", "float32", "float64"])
@pytest.mark.parametrize("stored", [torch.float32, torch.bfloat16])
def test_types(small: Small, tmp_path: Path, stored: torch.dtype, dtype: str) -> None:
    theirs = small("Mixtral").to(stored)
    theirs.save_pretrained(tmp_path)
    assert from_pretrained(tmp_path).embedding.weight.dtype == stored
    ours = from_pretrained(tmp_path, dtype)
    expected = theirs.model.embed_tokens.weight.to(getattr(torch, dtype))
    assert torch.equal(ours.embedding.weight, expected)


BLOCKS = {
    "mixtral": "mixtral.modeling_mixtral.MixtralSparseMoeBlock",
    "olmoe": "olmoe.modeling_olmoe.OlmoeSparseMoeBlock",
    "olmoe, normalised": "olmoe.modeling_olmoe.OlmoeSparseMoeBlock",
    "qwen2": "qwen2_moe.modeling_qwen2_moe.Qwen2MoeSparseMoeBlock",
    "qwen3": "qwen3_moe.modeling_qwen3_moe.Qwen3MoeSparseMoeBlock",
    "deepseek v2": "deepseek_v2.modeling_deepseek_v2.DeepseekV2Moe",
    "deepseek v2, groups": "deepseek_v2.modeling_deepseek_v2.DeepseekV2Moe",
    "deepseek v3": "deepseek_v3.modeling_deepseek_v3.DeepseekV3MoE",
    "dots1, groups": "dots1.modeling_dots1.Dots1MoE",
    "glm4": "glm4_moe.modeling_glm4_moe.Glm4MoeMoE",
    "minimax m2": "minimax_m2.modeling_minimax_m2.MiniMaxM2SparseMoeBlock",
    "hunyuan": "hunyuan_v1_moe.modeling_hunyuan_v1_moe.HunYuanMoEV1Moe",
    "granite": "granitemoe.modeling_granitemoe.GraniteMoeMoE",
    "granite, shared": "granitemoeshared.modeling_granitemoeshared.GraniteMoeSharedMoE",
    "ernie": "ernie4_5_moe.modeling_ernie4_5_moe.Ernie4_5_MoeSparseMoeBlock",
    "ernie, every second, untied": "ernie4_5_moe.modeling_ernie4_5_moe.Ernie4_5_MoeSparseMoeBlock",
}


ROUTERS = ("gate.weight", "gate.wg.weight", "router.weight")


@pytest.mark.parametrize("case", BLOCKS)
def test_one_block(case: str, small: Small) -> None:
    kind, settings = CASES[case]
    theirs = small(kind, **settings)
    name = BLOCKS[case].rpartition(".")[2]
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
    from transformers.models.switch_transformers.modeling_switch_transformers import (
        SwitchTransformersSparseMLP,
    )

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
