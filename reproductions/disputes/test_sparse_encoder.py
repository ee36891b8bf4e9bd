"""T5 with mixtures in its encoder: where they are, and that experts may choose there."""

from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from moebench.models import EncoderDecoder
from moebench.models.t5_blocks import Shape
from moebench.moe.experts import ReluMLP
from moebench.moe.layer import MoELayer, Sparse
from moebench.moe.routers import ExpertChoice
from moebench.training.leaks import leaks
from reproductions.disputes.sparse_encoder import SparseEncoder

VOCABULARY, E, L = 11, 4, 8
SHAPE = Shape(width=16, layers=2, heads=2, hidden=24)


class Batch(NamedTuple):
    input_BL: Tensor
    context_BL: Tensor


def sparse() -> Sparse:
    return Sparse(partial(ExpertChoice, num_experts=E), partial(ReluMLP, hidden=24), every=1)


def batch() -> Batch:
    draw = partial(torch.randint, VOCABULARY, generator=torch.Generator().manual_seed(0))
    return Batch(draw((2, L)), draw((2, L)))


def test_every_block_of_the_encoder_is_a_mixture_and_none_of_the_decoder() -> None:
    model = SparseEncoder(VOCABULARY, SHAPE, sparse())
    mixed = [name for name, part in model.named_modules() if isinstance(part, MoELayer)]
    assert len(mixed) == SHAPE.layers
    assert all(name.startswith("encoder.") for name in mixed)
    output = model(batch())
    assert len(output.decisions) == SHAPE.layers
    assert output.prediction.shape == (2, L, VOCABULARY)


def test_experts_that_choose_leak_in_both_stacks_but_not_in_the_encoder_alone() -> None:
    assert leaks(EncoderDecoder(VOCABULARY, SHAPE, sparse()), batch())
    assert not leaks(SparseEncoder(VOCABULARY, SHAPE, sparse()), batch())


def test_without_mixtures_it_is_the_dense_model() -> None:
    sizes = [
        sum(part.numel() for part in model.parameters())
        for model in (SparseEncoder(VOCABULARY, SHAPE), EncoderDecoder(VOCABULARY, SHAPE))
    ]
    assert sizes[0] == sizes[1]


def test_a_seed_gives_the_same_weights() -> None:
    models = []
    for _ in range(2):
        torch.manual_seed(3)
        models.append(SparseEncoder(VOCABULARY, SHAPE, sparse()))
    ours, theirs = (dict(model.named_parameters()) for model in models)
    assert all(value.equal(theirs[name]) for name, value in ours.items())
