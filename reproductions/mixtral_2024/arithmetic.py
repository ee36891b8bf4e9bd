"""What follows from the published dimensions and scores.

Source: Jiang et al. 2024 (arXiv 2401.04088), Tables 1 and 2.
"""

from types import SimpleNamespace

import torch

from moebench.models import RotaryDecoder
from moebench.models.decoder import DecoderShape
from moebench.models.grouped_query import GroupedQueryAttention
from moebench.models.rotary import RotaryEmbedding
from moebench.moe import Sparse
from moebench.moe.experts import SwiGLU
from moebench.moe.routers import TopK
from moebench.training.cost import count_batch
from reproductions.mixtral_2024.published import TABLE_1, TABLE_2


def size() -> dict[str, float]:
    """Return the total and active parameters of a model with the dimensions of Table 1."""
    shape = DecoderShape(
        width=TABLE_1["dim"],
        layers=TABLE_1["n_layers"],
        heads=TABLE_1["n_heads"],
        hidden=TABLE_1["hidden_dim"],
    )
    experts, k = TABLE_1["num_experts"], TABLE_1["top_k_experts"]
    with torch.device("meta"):
        model = RotaryDecoder(
            TABLE_1["vocab_size"],
            shape,
            Sparse(
                lambda dim: TopK(dim, experts, k),
                lambda dim, number: SwiGLU(dim, number, TABLE_1["hidden_dim"]),
                every=1,
            ),
            attention=lambda dim, heads: GroupedQueryAttention(dim, heads, TABLE_1["n_kv_heads"]),
            positions=RotaryEmbedding(base=1e6, context=TABLE_1["context_len"]),
        )
        input_BL = torch.empty(1, 8, dtype=torch.int64)
    cost = count_batch(model, SimpleNamespace(input_BL=input_BL, context_BL=None))
    return {"parameters": cost.params_total, "active parameters": cost.params_active}


def wins() -> dict[str, float]:
    """Return the number of Table 2's benchmarks where the model matches or beats Llama 2 70B."""
    wins = sum(ours >= theirs for ours, theirs in TABLE_2.values())
    return {"wins": wins, "benchmarks": len(TABLE_2)}
