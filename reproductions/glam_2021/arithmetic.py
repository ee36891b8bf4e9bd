"""What follows from the printed scores and dimensions. No training.

Source: Du et al. 2021, GLaM (arXiv 2112.06905), Tables 1 and 4, sections 4 and 5.
"""

from types import SimpleNamespace

import torch

from moebench.models import RotaryDecoder
from moebench.models.decoder import DecoderShape
from moebench.models.grouped_query import GroupedQueryAttention
from moebench.models.rotary import RotaryEmbedding
from moebench.moe import Sparse
from moebench.moe.contract import num_experts_of
from moebench.moe.experts import ReluMLP
from moebench.moe.routers import TopK
from moebench.papers.printed import units_off
from moebench.training.cost import count_batch, parameters
from reproductions.glam_2021.claims_computed import SMALLER
from reproductions.glam_2021.published import (
    FLOPS,
    LARGEST,
    LENGTH,
    MODELS,
    TABLE_1,
    VOCABULARY,
    Model,
)

CHOICES = 2  # experts of a token
SMALLER_VOCABULARY = 32_000


def percentages() -> dict[str, float]:
    """Return by how many per cent GLaM's figures in Table 1 exceed those of GPT-3."""
    return {name: 100 * (ours / theirs - 1) for name, (theirs, ours) in TABLE_1.items()}


def table_4() -> dict[str, float]:
    """Count the models of Table 4 on the meta device.

    For each: `total` and `active` parameters, and for both `off`, the distance from what is printed
    in units of its last digit, of which rounding explains up to a half. The same with a vocabulary
    of 32,000 instead of the 256,000 that the paper names.
    """
    metrics = {}
    for name, printed in MODELS.items():
        model = decoder(printed, VOCABULARY)
        fewer = (VOCABULARY - SMALLER_VOCABULARY) * printed.width  # the embedding is used twice
        total, active = parameters(model), active_parameters(model)
        for kind, less in (("", 0), (SMALLER, fewer)):
            for what, counted, said in (
                ("total", total - less, printed.total),
                ("active", active - less, printed.active),
            ):
                metrics[f"{name}, {what}{kind}"] = float(counted)
                metrics[f"{name}, {what}{kind} off"] = units_off(counted, said)
    return metrics


def flops() -> dict[str, float]:
    """Count the FLOPs a token of the largest model, forward, in a sequence of full length.

    `by parameters` are two for each active one, by which GPT-3's 350 billion follow from its 175.
    """
    with torch.device("meta"):
        input_BL = torch.empty(1, LENGTH, dtype=torch.int64)
    batch = SimpleNamespace(input_BL=input_BL, context_BL=None)
    found = count_batch(decoder(MODELS[LARGEST], VOCABULARY), batch)
    by_parameters = 2.0 * found.params_active
    return {
        "counted": found.flops_per_token,
        "counted off": units_off(found.flops_per_token, FLOPS),
        "by parameters": by_parameters,
        "by parameters off": units_off(by_parameters, FLOPS),
    }


def decoder(model: Model, vocabulary: int) -> RotaryDecoder:
    """Return a model of these dimensions on the meta device, as section 4 describes it.

    Dense blocks have a gated linear unit, hence three matrices, and experts two. The embedding is
    also the output matrix. Positions are rotary here; relative ones would add a few thousand
    parameters.
    """
    shape = DecoderShape(model.width, model.layers, model.heads, model.hidden, tied=True)
    sparse = Sparse(
        lambda dim: TopK(dim, model.experts, CHOICES),
        lambda dim, number: ReluMLP(dim, number, model.hidden),
    )
    with torch.device("meta"):
        return RotaryDecoder(
            vocabulary,
            shape,
            sparse if model.experts else None,
            attention=lambda dim, heads: GroupedQueryAttention(
                dim, heads, head_width=model.head_width
            ),
            positions=RotaryEmbedding(context=LENGTH),
        )


def active_parameters(model: RotaryDecoder) -> int:
    """Return the parameters that a token uses: all but those of the experts it does not choose."""
    idle = 0
    for mixture in model.mixtures:
        if mixture is not None:
            number = num_experts_of(mixture.router)
            idle += parameters(mixture.experts) * (number - CHOICES) // number
    return parameters(model) - idle
