"""Initial weights: narrow truncated normals, and the same for models that share a part.

Source: Fedus, Zoph and Shazeer 2021 (arXiv 2101.03961), section 2.4.
"""

import hashlib

import torch
from torch import nn

TOKENS = "embedding.weight"


def initialise(model: nn.Module, scale: float) -> None:
    """Redraw every matrix: truncated normal, sd = sqrt(scale / fan-in), cut at two sd.

    The embedding of tokens is drawn with sd 1, as in T5; vectors stay as they are. Each parameter has a
    generator of its own, seeded by its name and one draw from the global one, so that two models
    with one seed agree wherever they have a parameter of the same name and shape.

    Args:
        model: its stacked expert weights have their fan-in second to last, other matrices last.
        scale: the paper's s; 0.1 there, 1.0 is the common choice it compares with.
    """
    if not scale > 0:
        raise ValueError(f"initial_scale={scale}: must be above 0")
    seed = int(torch.randint(2**31, ()).item())
    for name, parameter in model.named_parameters():
        if parameter.dim() < 2 or parameter.is_meta:
            continue
        key = int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:8], "big")
        generator = torch.Generator(parameter.device).manual_seed(key % 2**63)
        fan_in = parameter.shape[-2] if parameter.dim() == 3 else parameter.shape[-1]
        deviation = 1.0 if name == TOKENS else (scale / fan_in) ** 0.5
        nn.init.trunc_normal_(
            parameter, std=deviation, a=-2 * deviation, b=2 * deviation, generator=generator
        )
