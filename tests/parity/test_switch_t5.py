"""The models against T5 and Switch Transformers of Hugging Face: outputs and all gradients.

Two weights are written differently here (see the modules): queries are larger by the root of the
head's width, the last norm of the decoder smaller by the root of the width. So each is translated
by a factor, and its gradient by the inverse.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn
from transformers import (
    SwitchTransformersConfig,
    SwitchTransformersForConditionalGeneration,
    T5Config,
    T5ForConditionalGeneration,
)
from transformers.models.switch_transformers.modeling_switch_transformers import (
    SwitchTransformersSparseMLP,
)
from transformers.models.t5.modeling_t5 import T5Attention

from moebench.models import EncoderDecoder
from moebench.models.attention import bucket
from moebench.models.t5_blocks import Shape
from moebench.moe.capacity.limit import Capacity, Limited
from moebench.moe.dispatch import DISPATCHERS
from moebench.moe.experts import ReluMLP
from moebench.moe.layer import MoELayer, Sparse
from moebench.moe.routers import Switch

VOCABULARY, EXPERTS, LENGTH = 23, 4, 8
SHAPE = Shape(width=16, layers=4, heads=2, hidden=24)
SIZES = {
    "vocab_size": VOCABULARY,
    "d_model": SHAPE.width,
    "d_kv": SHAPE.width // SHAPE.heads,
    "d_ff": SHAPE.hidden,
    "num_layers": SHAPE.layers,
    "num_decoder_layers": SHAPE.layers,
    "num_heads": SHAPE.heads,
    "dropout_rate": 0.0,
}


class Batch(NamedTuple):
    input_BL: Tensor
    context_BL: Tensor


def shake(module: nn.Module) -> None:
    """Give every parameter, norms too, a value that leaves nothing at one or zero."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            noise = 0.2 * torch.randn(parameter.shape, generator=generator)
            parameter.copy_(noise if parameter.dim() > 1 else 1 + noise)


def experts(theirs: Mapping[str, Tensor], prefix: str) -> Iterator[tuple[str, Tensor]]:
    for ours, name in (("up_EDF", "wi"), ("down_EFD", "wo")):
        weights = [theirs[f"{prefix}expert_{e}.{name}.weight"].T for e in range(EXPERTS)]
        yield ours, torch.stack(weights)


def attention(theirs: Mapping[str, Tensor], prefix: str) -> Iterator[tuple[str, Tensor, float]]:
    for ours, name in (("query.block", "q"), ("key.block", "k"), ("value.block", "v")):
        factor = SIZES["d_kv"] ** 0.5 if name == "q" else 1.0
        yield f"{ours}.weight", theirs[f"{prefix}{name}.weight"], factor
    yield "out.weight", theirs[f"{prefix}o.weight"], 1.0


def feed_forward(theirs: Mapping[str, Tensor], prefix: str) -> Iterator[tuple[str, Tensor]]:
    router = theirs.get(f"{prefix}mlp.router.classifier.weight")
    if router is not None:
        yield "moe.router.score.weight", router
        for name, value in experts(theirs, f"{prefix}mlp.experts."):
            yield f"moe.experts.{name}", value
        return
    inner = "mlp" if f"{prefix}mlp.wi.weight" in theirs else "DenseReluDense"
    yield "block.up.weight", theirs[f"{prefix}{inner}.wi.weight"]
    yield "block.down.weight", theirs[f"{prefix}{inner}.wo.weight"]


def stack(theirs: Mapping[str, Tensor], name: str) -> Iterator[tuple[str, Tensor, float]]:
    parts = {"attention": "SelfAttention", "cross": "EncDecAttention", "feed_forward": ""}
    if name == "encoder":
        del parts["cross"]
    first = f"{name}.block.0.layer.0.SelfAttention"
    yield "position.of_bucket.weight", theirs[f"{first}.relative_attention_bias.weight"].T, 1.0
    factor = SHAPE.width**-0.5 if name == "decoder" else 1.0
    yield "norm.weight", theirs[f"{name}.final_layer_norm.weight"], factor
    for block in range(SHAPE.layers):
        for number, (part, theirs_part) in enumerate(parts.items()):
            prefix = f"{name}.block.{block}.layer.{number}."
            here = f"blocks.{block}.{part}."
            yield f"{here}norm.weight", theirs[f"{prefix}layer_norm.weight"], 1.0
            if part == "feed_forward":
                for key, value in feed_forward(theirs, prefix):
                    yield f"{here}inner.{key}", value, 1.0
                continue
            for key, value, scale in attention(theirs, f"{prefix}{theirs_part}."):
                yield f"{here}inner.{key}", value, scale


def translate(theirs: Mapping[str, Tensor]) -> dict[str, tuple[Tensor, float]]:
    """Return their tensors under our names, and ours over theirs."""
    ours = {"embedding.weight": (theirs["shared.weight"], 1.0)}
    for name in ("encoder", "decoder"):
        ours |= {f"{name}.{key}": (value, factor) for key, value, factor in stack(theirs, name)}
    return ours


def weights(module: nn.Module) -> dict[str, Tensor]:
    return {name: parameter.detach() for name, parameter in module.named_parameters()}


def gradients(module: nn.Module) -> dict[str, Tensor]:
    """Return all gradients; zero for an expert that no token reached."""
    return {
        name: torch.zeros_like(p) if p.grad is None else p.grad
        for name, p in module.named_parameters()
    }


def assert_equal(ours: Tensor, theirs: Tensor, name: str) -> None:
    """Compare to 1e-5 of the largest entry: float32 sums in another order differ that much."""
    size = theirs.abs().max().clamp(min=1e-30)
    torch.testing.assert_close(
        ours / size, theirs / size, rtol=0, atol=1e-5, msg=lambda text: f"{name}: {text}"
    )


def assert_same_model(ours: EncoderDecoder, theirs: nn.Module) -> None:
    shake(theirs)
    translated = translate(weights(theirs))
    assert translated.keys() == weights(ours).keys()
    with torch.no_grad():
        for name, parameter in ours.named_parameters():
            value, factor = translated[name]
            parameter.copy_(value * factor)
    generator = torch.Generator().manual_seed(1)
    batch = Batch(
        torch.randint(VOCABULARY, (3, LENGTH), generator=generator),
        torch.randint(VOCABULARY, (3, 40), generator=generator),
    )
    prediction = ours.eval()(batch).prediction
    expected = theirs.eval()(input_ids=batch.context_BL, decoder_input_ids=batch.input_BL).logits
    assert_equal(prediction, expected, "logits")
    direction = torch.randn(expected.shape, generator=generator)
    (prediction * direction).sum().backward()
    (expected * direction).sum().backward()
    mine = gradients(ours)
    for name, (gradient, factor) in translate(gradients(theirs)).items():
        assert_equal(mine[name], gradient / factor, name)


@pytest.mark.parametrize("causal", [True, False])
def test_buckets_are_those_of_t5(causal: bool) -> None:
    distance = torch.arange(-700, 700)
    expected = T5Attention._relative_position_bucket(distance, bidirectional=not causal)
    assert torch.equal(bucket(distance, causal), expected)


def test_dense_model_is_t5() -> None:
    theirs = T5ForConditionalGeneration(T5Config(**SIZES, feed_forward_proj="relu"))
    assert_same_model(EncoderDecoder(VOCABULARY, SHAPE), theirs)


@pytest.mark.parametrize("every", [1, 2])
def test_sparse_model_is_switch_transformers(every: int) -> None:
    config = SwitchTransformersConfig(
        **SIZES,
        num_experts=EXPERTS,
        num_sparse_encoder_layers=SHAPE.layers // every,
        num_sparse_decoder_layers=SHAPE.layers // every,
        expert_capacity=1000,
    )
    sparse = Sparse(
        lambda dim: Switch(dim, EXPERTS),
        lambda dim, count: ReluMLP(dim, count, SHAPE.hidden),
        every=every,
    )
    theirs = SwitchTransformersForConditionalGeneration(config)
    assert_same_model(EncoderDecoder(VOCABULARY, SHAPE, sparse), theirs)


@pytest.mark.parametrize("dispatcher", DISPATCHERS)
@pytest.mark.parametrize("rows", [1, 2, 1000])
def test_layer_is_the_switch_layer(dispatcher: str, rows: int) -> None:
    """Theirs gives each expert `rows` places in each sequence, first come, first served."""
    config = SwitchTransformersConfig(**SIZES, num_experts=EXPERTS, expert_capacity=rows)
    theirs = SwitchTransformersSparseMLP(config).eval()
    shake(theirs)
    capacity = Capacity(factor=rows * EXPERTS / LENGTH, group=LENGTH)
    router = Limited(SHAPE.width, lambda dim: Switch(dim, EXPERTS), capacity)
    ours = MoELayer(router, ReluMLP(SHAPE.width, EXPERTS, SHAPE.hidden), DISPATCHERS[dispatcher]())
    ours.eval()

    def translated(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        found = {"router.router.score.weight": tensors["router.classifier.weight"]}
        return found | {f"experts.{k}": v for k, v in experts(tensors, "experts.")}

    ours.load_state_dict(translated(weights(theirs)))
    x_BLD = torch.randn(3, LENGTH, SHAPE.width, generator=torch.Generator().manual_seed(2))
    x, x_theirs = x_BLD.clone().requires_grad_(), x_BLD.clone().requires_grad_()
    y_TD, decision = ours(x.flatten(0, 1))
    assert decision.kept_A.all() == (rows == 1000)
    expected = theirs(x_theirs)
    assert_equal(y_TD.view(expected.shape), expected, "output")
    y_TD.square().sum().backward()
    expected.square().sum().backward()
    assert x.grad is not None
    assert x_theirs.grad is not None
    assert_equal(x.grad, x_theirs.grad, "input")
    mine = gradients(ours)
    for name, gradient in translated(gradients(theirs)).items():
        assert gradient.any(), name
        assert_equal(mine[name], gradient, name)
