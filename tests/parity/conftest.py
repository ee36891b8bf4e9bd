"""A small model of transformers, of any architecture, whose weights are all random."""

from collections.abc import Callable

import pytest
import torch
import transformers
from torch import nn

SIZES = {
    "vocab_size": 40,
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "max_position_embeddings": 64,
    "intermediate_size": 24,
    "eos_token_id": None,
    "pad_token_id": None,
    "bos_token_id": None,
}
LOCAL = {"num_key_value_heads": 2, "num_local_experts": 4}
NAMED = {"num_key_value_heads": 2, "num_experts": 4}
QWEN = {**NAMED, "num_experts_per_tok": 2, "moe_intermediate_size": 12}
ROUTED = {"moe_intermediate_size": 12, "n_routed_experts": 8, "num_experts_per_tok": 2}
DEEPSEEK = {**ROUTED, "first_k_dense_replace": 1}
LATENT = {
    "q_lora_rank": None,
    "kv_lora_rank": 8,
    "qk_nope_head_dim": 8,
    "qk_rope_head_dim": 4,
    "v_head_dim": 6,
}
GRANITE = {
    **LOCAL,
    "embedding_multiplier": 12.0,
    "residual_multiplier": 0.22,
    "attention_multiplier": 0.125,
    "logits_scaling": 6.0,
}
SMALL = {
    "Mixtral": {**LOCAL, "head_dim": 4},
    "Olmoe": {**NAMED, "num_experts_per_tok": 2},
    "Qwen2Moe": {**QWEN, "shared_expert_intermediate_size": 20},
    "Qwen3Moe": {**QWEN, "head_dim": 8},
    "DeepseekV2": {**DEEPSEEK, **LATENT},
    "DeepseekV3": {**DEEPSEEK, **LATENT, "n_group": 1, "topk_group": 1},
    "Dots1": {**DEEPSEEK, "num_key_value_heads": 2, "n_shared_experts": 1},
    "Glm4Moe": {**DEEPSEEK, "num_key_value_heads": 2, "head_dim": 8},
    "Glm4MoeLite": {**ROUTED, **LATENT, "num_key_value_heads": 4},
    "MiniMaxM2": {**LOCAL, "num_experts_per_tok": 2, "head_dim": 8},
    "HunYuanMoEV1": {**NAMED, "moe_topk": 2, "head_dim": 8},
    "GraniteMoe": GRANITE,
    "GraniteMoeShared": {**GRANITE, "shared_intermediate_size": 20},
    "Ernie4_5_Moe": {
        "num_key_value_heads": 2,
        "moe_intermediate_size": 12,
        "moe_num_experts": 4,
        "moe_k": 2,
    },
}


def small_of(name: str, **settings: object) -> nn.Module:
    """Make a model, given the beginning of its class's name and what differs from `SMALL`."""
    config = getattr(transformers, f"{name}Config")(**{**SIZES, **SMALL[name], **settings})
    model = getattr(transformers, f"{name}ForCausalLM")(config).eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for key, tensor in model.state_dict().items():
            noise = torch.randn(tensor.shape, generator=generator)
            if "e_score_correction_bias" in key:
                tensor.copy_(0.05 * noise)
            elif tensor.dim() == 1 and key.endswith("weight"):
                tensor.copy_(1 + 0.2 * noise)
            elif tensor.dim() > 0 and "inv_freq" not in key:
                tensor.copy_(0.2 * noise)
    return model


@pytest.fixture(scope="session")
def small() -> Callable[..., nn.Module]:
    return small_of
