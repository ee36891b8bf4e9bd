"""The T5-style models: what holds whatever their weights are."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.checkpoint import checkpoint

from moebench.models import Decoder, EncoderDecoder
from moebench.models.t5_blocks import Shape
from moebench.moe.experts import Linear, ReluMLP
from moebench.moe.layer import MoELayer, Sparse
from moebench.moe.routers import AllExperts, Switch

VOCABULARY = 11
SHAPE = Shape(width=16, layers=2, heads=2, hidden=24)
Model = Decoder | EncoderDecoder


class Batch(NamedTuple):
    input_BL: Tensor
    context_BL: Tensor | None = None


def batch(length: int = 6) -> Batch:
    generator = torch.Generator().manual_seed(0)
    draw = partial(torch.randint, VOCABULARY, generator=generator)
    return Batch(draw((2, length)), draw((2, length + 3)))


def sparse(num_experts: int = 4, every: int = 2) -> Sparse:
    return Sparse(
        lambda dim: Switch(dim, num_experts),
        lambda dim, count: ReluMLP(dim, count, hidden=24),
        every=every,
    )


def projections(num_experts: int = 3, every: int = 2) -> Sparse:
    return Sparse(lambda dim: Switch(dim, num_experts), Linear, every=every)


@pytest.fixture(params=[Decoder, EncoderDecoder])
def make(request: pytest.FixtureRequest) -> Callable[..., Model]:
    torch.manual_seed(0)
    # Scale 1: at 0.1 blocks add little, and a test could miss what they do.
    make: Callable[..., Model] = partial(request.param, VOCABULARY, SHAPE, initial_scale=1.0)
    return make


def mixed_blocks(stack: nn.Module, part: str) -> list[int]:
    """Numbers, from 1, of the blocks whose `part` has a mixture."""
    return [
        number
        for number, block in enumerate(stack.get_submodule("blocks").children(), start=1)
        if any(isinstance(m, MoELayer) for m in block.get_submodule(part).modules())
    ]


@pytest.mark.parametrize("parts", [{}, {"sparse": sparse(), "attention_sparse": projections()}])
def test_the_past_does_not_see_the_future(make: Callable[..., Model], parts: Any) -> None:
    model, before = make(**parts).eval(), batch(length=8)
    input_BL = before.input_BL.clone()
    input_BL[:, 5] = (input_BL[:, 5] + 1) % VOCABULARY
    old, new = model(before).prediction, model(before._replace(input_BL=input_BL)).prediction
    torch.testing.assert_close(new[:, :5], old[:, :5])
    moved_L = (new - old).abs().amax(dim=(0, 2))
    assert (moved_L[5:] > 1e-4).all()


def test_encoder_sees_both_sides_and_decoder_sees_the_encoder() -> None:
    torch.manual_seed(0)
    model, before = EncoderDecoder(VOCABULARY, SHAPE, initial_scale=1.0).eval(), batch()
    assert before.context_BL is not None
    context_BL = before.context_BL.clone()
    context_BL[:, -1] = (context_BL[:, -1] + 1) % VOCABULARY
    old, _ = model.encoder(model.embedding(before.context_BL))
    new, _ = model.encoder(model.embedding(context_BL))
    assert ((new - old).abs().amax(dim=(0, 2)) > 1e-4).all()
    moved = model(before._replace(context_BL=context_BL)).prediction - model(before).prediction
    assert (moved.abs().amax(dim=(0, 2)) > 1e-5).all()


@pytest.mark.parametrize(
    ("layers", "every", "expected"),
    [(4, 1, [1, 2, 3, 4]), (4, 2, [2, 4]), (7, 3, [3, 6]), (4, 4, [4])],
)
def test_every_nth_block_is_a_mixture(layers: int, every: int, expected: list[int]) -> None:
    shape = Shape(width=16, layers=layers, heads=2, hidden=24)
    model = EncoderDecoder(VOCABULARY, shape, sparse(every=every))
    for stack in (model.encoder, model.decoder):
        assert mixed_blocks(stack, "feed_forward") == expected
        assert mixed_blocks(stack, "attention") == []
    assert len(model(batch()).decisions) == 2 * len(expected)


def test_decisions_come_in_order_of_depth() -> None:
    shape = Shape(width=16, layers=4, heads=2, hidden=24)
    model = EncoderDecoder(VOCABULARY, shape, sparse(4, every=2), projections(3, every=4))
    given = batch(length=6)
    decisions = model(given).decisions
    one_stack = [4, 3, 3, 3, 4]  # block 2: feed-forward; block 4: query, key, value, feed-forward
    assert [decision.num_experts for decision in decisions] == one_stack * 2
    assert [decision.num_tokens for decision in decisions] == [2 * 9] * 5 + [2 * 6] * 5
    assert mixed_blocks(model.decoder, "cross") == []


def test_one_expert_is_the_dense_twin(make: Callable[..., Model]) -> None:
    torch.manual_seed(1)
    dense = make()
    torch.manual_seed(1)
    mixture = make(sparse(num_experts=1, every=1), projections(num_experts=1, every=1))
    weights = dict(dense.named_parameters())
    with torch.no_grad():
        for name, parameter in mixture.named_parameters():
            if ".experts." in name:
                inner, weight = name.split(".moe.experts.")
                twin = {"up_EDF": ".up", "down_EFD": ".down", "weight_EDF": ""}[weight]
                parameter.copy_(weights[f"{inner}.block{twin}.weight"].T[None])
    torch.testing.assert_close(mixture(batch()).prediction, dense(batch()).prediction)


def test_recomputed_blocks_return_each_decision_once(make: Callable[..., Model]) -> None:
    model = make(sparse(every=1), projections()).eval()
    plain = model(batch())
    plain.prediction.square().sum().backward()
    expected = {name: parameter.grad for name, parameter in model.named_parameters()}
    model.zero_grad()
    for block in [m for m in model.modules() if type(m).__name__ == "Block"]:
        block.forward = partial(checkpoint, block.forward, use_reentrant=False)
    output = model(batch())
    output.prediction.square().sum().backward()
    assert len(output.decisions) == len(plain.decisions)
    for seen, once in zip(output.decisions, plain.decisions, strict=True):
        assert torch.equal(seen.expert_A, once.expert_A)
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name])


def test_gradient_reaches_every_parameter(make: Callable[..., Model]) -> None:
    everyone = partial(AllExperts, num_experts=3)  # so that no expert goes without tokens
    model = make(
        Sparse(everyone, lambda dim, count: ReluMLP(dim, count, hidden=24)),
        Sparse(everyone, Linear, every=1),
    )
    given = batch(length=200)  # far enough for every bucket of distance
    cross_entropy(model(given).prediction.flatten(0, 1), given.input_BL.flatten()).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.any(), name
        if name.endswith("of_bucket.weight"):
            # Two-sided bucket 16 would be for distance 0 after the query, which counts as before.
            assert (parameter.grad != 0).any(dim=0).sum() >= 31, name


def test_bfloat16_autocast_keeps_decisions_and_stream_in_float32(
    make: Callable[..., Model],
) -> None:
    model = make(sparse(num_experts=1), projections(num_experts=1)).eval()
    streams: list[torch.dtype] = []
    model.decoder.norm.register_forward_pre_hook(lambda _, args: streams.append(args[0].dtype))
    with torch.autocast("cpu", torch.bfloat16):
        output = model(batch())
    assert streams == [torch.float32]
    assert {decision.probs_TE.dtype for decision in output.decisions} == {torch.float32}
    output.prediction.float().sum().backward()
    exact = model(batch()).prediction
    torch.testing.assert_close(output.prediction.float(), exact, rtol=0.1, atol=0.1)


def test_dropout_acts_in_training_only(make: Callable[..., Model]) -> None:
    model = make(dropout=0.5)
    given = batch()
    assert not torch.equal(model(given).prediction, model(given).prediction)
    model.eval()
    assert torch.equal(model(given).prediction, model(given).prediction)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Shape(heads=0), r"^shape.heads=0: must be at least 1$"),
        (
            lambda: Shape(width=10, heads=4),
            r"^shape.width=10: must be a multiple of shape.heads=4$",
        ),
        (lambda: Decoder(0), r"^vocabulary=0: must be at least 1$"),
        (lambda: Decoder(5, dropout=1.0), r"^dropout=1.0: must be at least 0 and below 1$"),
        (lambda: Decoder(5, initial_scale=0.0), r"^initial_scale=0.0: must be above 0$"),
        (
            lambda: EncoderDecoder(5, SHAPE, sparse(every=3)),
            r"^sparse.every=3: must be at most shape.layers=2, or no block is a mixture$",
        ),
        (
            lambda: Decoder(5, SHAPE, None, projections(every=3)),
            r"^attention_sparse.every=3: must be at most shape.layers=2, or no block is a mixture$",
        ),
        (lambda: EncoderDecoder(VOCABULARY, SHAPE)(Batch(batch().input_BL)), r"^data.objective: "),
    ],
)
def test_bad_arguments_are_refused(wrong: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wrong()
