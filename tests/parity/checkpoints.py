"""Checkpoints of every supported architecture and of its odd settings, as both sides read them."""

import json
from pathlib import Path
from types import SimpleNamespace

import torch
import transformers
from torch import Tensor, nn

from moebench.interop import from_pretrained

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


def assert_close(ours: Tensor, theirs: Tensor, tolerance: float, name: str) -> None:
    """Compare to a share of the largest entry."""
    size = theirs.abs().max().clamp(min=1e-30)
    assert ours.shape == theirs.shape, name
    assert (ours - theirs).abs().max() / size < tolerance, name


def ids() -> Tensor:
    """Two texts of 48 tokens."""
    return torch.randint(40, (2, 48), generator=torch.Generator().manual_seed(1))


def logits(model: nn.Module) -> Tensor:
    return model(SimpleNamespace(input_BL=ids(), context_BL=None)).prediction


def configured(folder: Path, **changes: object) -> dict[str, object]:
    """Change config.json; a value of None removes a key."""
    path = folder / "config.json"
    config = {**json.loads(path.read_text()), **changes}
    config = {key: value for key, value in config.items() if changes.get(key, 0) is not None}
    path.write_text(json.dumps(config))
    return config


def same(ours: Tensor, theirs: nn.Module) -> None:
    expected = theirs(input_ids=ids()).logits
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=1e-5)


def read_by_both(name: str, folder: Path) -> Tensor:
    """Check that both read a folder alike; return the logits."""
    found = logits(from_pretrained(folder))
    same(found, getattr(transformers, f"{name}ForCausalLM").from_pretrained(folder).eval())
    return found
