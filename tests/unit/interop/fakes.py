"""Small decoders with random weights, to write and to read back."""

import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from moebench.models import RotaryDecoder
from moebench.models.decoder import DecoderShape
from moebench.models.latent_attention import Latent, LatentAttention
from moebench.moe import Sparse
from moebench.moe.experts import SwiGLU
from moebench.moe.experts.shared import Shared
from moebench.moe.routers import SigmoidTopK, TopK

SHAPE = DecoderShape(width=16, layers=2, heads=4, hidden=24)


def sparse(router: Callable[[int], nn.Module], experts: type = SwiGLU) -> Sparse:
    return Sparse(router, lambda dim, count: experts(dim, count, 8), every=1)


def latent(dim: int, heads: int) -> nn.Module:
    return LatentAttention(dim, heads, Latent(6, 5, 4, 2, 3))


MIXTRAL = {"sparse": sparse(lambda dim: TopK(dim, 4))}
DEEPSEEK_V3 = {
    "sparse": sparse(lambda dim: SigmoidTopK(dim, 4, 2)),
    "shared": lambda dim: Shared(dim, 8),
    "attention": latent,
}


def model(**arguments: object) -> RotaryDecoder:
    """A decoder of Mixtral's kind, or with other parts."""
    torch.manual_seed(0)
    return RotaryDecoder(30, **{"shape": SHAPE, **MIXTRAL, **arguments}).eval()


def configure(folder: Path, **changes: object) -> None:
    """Change the configuration of a checkpoint."""
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
