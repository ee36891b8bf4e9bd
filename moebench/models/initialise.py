"""Initial weights: narrow truncated normals; models of one seed agree in the parts they share.

Source: Fedus, Zoph and Shazeer 2021 (arXiv 2101.03961), section 2.4.
"""

import hashlib

import torch
from torch import nn

TOKENS = "embedding.weight"


def draw_seed() -> int:
    """Return a seed from the global generator.

    Draw it before building the parts: they draw initial weights themselves, as many numbers as
    they are large, after which the generators of two models no longer agree.
    """
    # On the CPU, whatever the device of the parts: no number can be read on the meta device.
    return int(torch.randint(2**31, (), device="cpu").item())


def initialise(model: nn.Module, seed: int, scale: float) -> None:
    """Redraw every matrix: truncated normal, sd = sqrt(scale / fan-in), redrawn beyond two sd.

    The embedding of tokens is normal with sd = width ** -0.5, because it is also the output matrix:
    logits start near sd 1. T5 draws it with sd 1 and scales the logits instead, which suits the
    relative steps of Adafactor; with Adam's absolute steps it would hardly move.

    Vectors stay unchanged, and so do matrices that start at zero. Each parameter has a generator of
    its own, seeded by `seed` and its name, so models agree wherever they have a parameter of the
    same name and shape.

    Args:
        model: its stacked expert weights have their fan-in second to last, other matrices last.
        seed: models with the same seed agree.
        scale: the s of the paper: 0.1 there; 1.0 is the common choice it compares with.

    Raises:
        ValueError: if the scale is not above 0.
    """
    if not scale > 0:
        raise ValueError(f"initial_scale={scale}: must be above 0")
    for name, parameter in model.named_parameters():
        if parameter.dim() < 2 or parameter.is_meta or not parameter.any():
            continue
        generator = _generator(f"{seed} {name}", parameter.device)
        if name == TOKENS:
            nn.init.normal_(parameter, std=parameter.shape[-1] ** -0.5, generator=generator)
            continue
        fan_in = parameter.shape[-2] if parameter.dim() == 3 else parameter.shape[-1]
        sd = (scale / fan_in) ** 0.5
        nn.init.trunc_normal_(parameter, std=sd, a=-2 * sd, b=2 * sd, generator=generator)


def _generator(key: str, device: torch.device) -> torch.Generator:
    """Make a generator that depends on nothing but the key."""
    digest = hashlib.sha256(key.encode()).digest()
    return torch.Generator(device).manual_seed(int.from_bytes(digest[:8], "big") >> 1)
