"""Models that a config.json cannot describe are refused by name, and nothing is written."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from moebench.interop import save_pretrained
from moebench.models import RotaryDecoder
from moebench.models.grouped_query import AttentionScore, GroupedQueryAttention, QueryKeyNorm
from moebench.models.multipliers import Multipliers
from moebench.models.rotary import RotaryEmbedding
from moebench.moe import RoutingDecision
from moebench.moe.dispatch import Loop
from moebench.moe.experts import SwiGLU
from moebench.moe.experts.shared import GatedShared, Shared
from moebench.moe.routers import BiasedTopK, GroupLimited, SigmoidTopK, SoftmaxTopK, TopK

from .fakes import DEEPSEEK_V3, SHAPE, latent, model, sparse


class Coldest(TopK):
    """Another rule under the same constructor."""

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        return super().forward(-x_TD)


class Louder(SwiGLU):
    def forward(self, x_RD: Tensor, count_E: Tensor) -> Tensor:
        return 2 * super().forward(x_RD, count_E)


def normed(over: str, epsilon: float) -> Callable[[int, int], nn.Module]:
    norm = QueryKeyNorm(over, epsilon)
    return lambda dim, heads: GroupedQueryAttention(dim, heads, norm=norm)


GRANITE = {
    "shape": replace(SHAPE, multipliers=Multipliers(2.0, 0.5, 3.0)),
    "attention": lambda dim, heads: GroupedQueryAttention(
        dim, heads, comparison=AttentionScore(scale=0.25)
    ),
}
KINDS = {
    "mixtral": {},
    "olmoe": {"attention": normed("width", 1e-5)},
    "qwen2_moe": {
        "sparse": sparse(lambda dim: SoftmaxTopK(dim, 4)),
        "shared": lambda dim: GatedShared(dim, 12),
        "attention": lambda dim, heads: GroupedQueryAttention(dim, heads, bias=True),
    },
    "qwen3_moe": {"attention": normed("head", 1e-5)},
    "deepseek_v2": {
        "sparse": sparse(lambda dim: GroupLimited(dim, 4, 2)),
        "shared": lambda dim: Shared(dim, 8),
        "attention": latent,
        "positions": RotaryEmbedding(interleaved=True),
    },
    "deepseek_v3": DEEPSEEK_V3,
    "dots1": {**DEEPSEEK_V3, "attention": normed("head", 1e-5)},
    "glm4_moe": {
        **DEEPSEEK_V3,
        "attention": lambda dim, heads: GroupedQueryAttention(
            dim, heads, comparison=AttentionScore(2)
        ),
    },
    "minimax_m2": {
        "sparse": sparse(lambda dim: SigmoidTopK(dim, 4, 2)),
        "attention": normed("width", 1e-5),
    },
    "hunyuan_v1_moe": {
        "shared": lambda dim: Shared(dim, 8),
        "attention": lambda dim, heads: GroupedQueryAttention(
            dim, heads, norm=QueryKeyNorm("head", turned=True)
        ),
    },
    "granitemoe": GRANITE,
    "granitemoeshared": {**GRANITE, "shared": lambda dim: Shared(dim, 12)},
    "ernie4_5_moe": {
        "sparse": sparse(lambda dim: BiasedTopK(dim, 4)),
        "shared": lambda dim: Shared(dim, 16),
        "positions": RotaryEmbedding(interleaved=True),
    },
}
GROUPED = [kind for kind in KINDS if not kind.startswith(("deepseek", "ernie"))]


def refused(made: RotaryDecoder, folder: Path, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refusal:
        save_pretrained(made, folder)
    assert "\n" not in str(refusal.value)
    assert not folder.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_written(kind: str, tmp_path: Path) -> None:
    save_pretrained(model(**KINDS[kind]), tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["model_type"] == kind


@pytest.mark.parametrize("kind", GROUPED)
def test_interleaved_positions_are_refused(kind: str, tmp_path: Path) -> None:
    made = model(**{**KINDS[kind], "positions": RotaryEmbedding(interleaved=True)})
    refused(made, tmp_path / "new", rf"positions=.*interleaved=True.*{kind} can only have")


@pytest.mark.parametrize("kind", ["olmoe", "qwen3_moe"])
def test_an_epsilon_of_its_own_is_refused(kind: str, tmp_path: Path) -> None:
    over = "width" if kind == "olmoe" else "head"
    made = model(attention=normed(over, 1e-6))
    refused(made, tmp_path / "new", rf"epsilon=1e-06.*{kind} can only have .*epsilon=1e-05")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", ["router", "experts"])
def test_a_subclass_with_another_forward_is_refused(kind: str, part: str, tmp_path: Path) -> None:
    made = model(**KINDS[kind])
    moe = made.blocks[1].feed_forward.inner.moe
    inside = getattr(moe, part)
    inside.__class__ = type("Own", (type(inside),), {"forward": lambda self, *given: None})
    refused(made, tmp_path / "new", rf"blocks\.1\.feed_forward\.inner\.moe\.{part}=Own: .*{kind}")


def setting(change: Callable[[RotaryDecoder], object], kind: str = "mixtral") -> RotaryDecoder:
    made = model(**KINDS[kind])
    change(made)
    return made


def moe(made: RotaryDecoder, block: int = 0) -> nn.Module:
    return made.blocks[block].feed_forward.inner.moe


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (model(sparse=sparse(lambda d: Coldest(d, 4))), r"moe\.router=Coldest: .*only have TopK"),
        (setting(lambda m: setattr(moe(m, 1).router, "k", 1)), r"blocks\.1.*router\.k=1: .*have 2"),
        (
            setting(lambda m: setattr(m.blocks[0].attention.norm, "eps", 1e-3)),
            r"blocks\.0\.attention\.norm\.eps=0\.001: .*only have 1e-05",
        ),
        (
            setting(lambda m: setattr(m.blocks[1].feed_forward.dropout, "p", 0.1)),
            r"feed_forward\.dropout\.p=0\.1: .*only have 0\.0",
        ),
        (
            setting(lambda m: setattr(moe(m).router, "forward", lambda x_TD: None)),
            r"router\.forward=.*only have nothing",
        ),
        (
            setting(lambda m: setattr(moe(m).router, "temperature", 2.0)),
            r"router\.temperature=2\.0: .*only have nothing",
        ),
        (
            setting(lambda m: m.blocks[0].register_forward_hook(lambda *given: None)),
            r"blocks\.0\._forward_hooks=1",
        ),
        (
            setting(lambda m: m.blocks[1].register_forward_pre_hook(lambda *given: None)),
            r"blocks\.1\._forward_pre_hooks=1",
        ),
        (
            setting(lambda m: setattr(m.blocks[0].attention.norm, "eps", 1.001e-5)),
            r"blocks\.0\.attention\.norm\.eps=1\.001e-05: .*only have 1e-05",
        ),
        (
            setting(lambda m: moe(m).router.register_buffer("bias_E", torch.zeros(4))),
            r"router\.bias_E=\(4,\): .*only have nothing",
        ),
        (
            setting(lambda m: setattr(moe(m, 1), "shared", None), "deepseek_v3"),
            r"has no blocks\.1\.feed_forward\.inner\.moe\.shared, as deepseek_v3 does",
        ),
        (
            setting(lambda m: m.norm.to(torch.bfloat16)),
            r"its weights are bfloat16, float32; a checkpoint has them in one type",
        ),
        (
            model(
                **KINDS["minimax_m2"]
                | {"sparse": sparse(lambda dim: SigmoidTopK(dim, 4, 2, factor=2.0))}
            ),
            r"router\.factor=2\.0: .*minimax_m2 can only have 1\.0",
        ),
        (
            model(
                attention=lambda dim, heads: GroupedQueryAttention(
                    dim, heads, comparison=AttentionScore(2)
                )
            ),
            r"RotaryDecoder\.rotary_width=2: .*mixtral can only have 4",
        ),
        (
            model(**KINDS["qwen3_moe"] | {"shape": KINDS["granitemoe"]["shape"]}),
            r"RotaryDecoder\.shape=.*residual=0\.5.*qwen3_moe can only have .*residual=1\.0",
        ),
        (setting(lambda m: setattr(m, "calls", 3)), r"RotaryDecoder\.calls=3: .*only have nothing"),
    ],
)
def test_what_the_format_cannot_express_is_refused(
    made: RotaryDecoder, words: str, tmp_path: Path
) -> None:
    refused(made, tmp_path / "new", words)


@pytest.mark.parametrize("kind", ["deepseek_v3", "dots1", "glm4_moe"])
def test_groups_of_one_expert_are_refused(kind: str, tmp_path: Path) -> None:
    """Transformers adds the two best of each group."""
    made = model(**KINDS[kind] | {"sparse": sparse(lambda dim: SigmoidTopK(dim, 4, 2, 4, 2))})
    refused(made, tmp_path / "new", r"router\.groups=4: must leave each group two of the 4 experts")


def test_other_experts_are_refused(tmp_path: Path) -> None:
    made = model(sparse=sparse(lambda dim: TopK(dim, 4), Louder))
    refused(made, tmp_path / "new", r"moe\.experts=Louder: .*only have SwiGLU")


def test_any_dispatcher_will_do(tmp_path: Path) -> None:
    made = model(sparse=replace(sparse(lambda dim: TopK(dim, 4)), dispatcher=Loop))
    save_pretrained(made, tmp_path)
    assert (tmp_path / "config.json").is_file()


def test_any_dispatcher_but_ones_own_will_do(tmp_path: Path) -> None:
    made = model()
    dispatcher = moe(made).dispatcher
    dispatcher.__class__ = type("Own", (type(dispatcher),), {"forward": lambda self, *given: None})
    refused(made, tmp_path / "new", r"moe\.dispatcher=Own: a checkpoint of mixtral can only have")


def test_a_value_of_a_kind_that_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    made = model()
    made.blocks[1].attention.inner.scale = [0.5]
    refused(made, tmp_path / "new", r"attention\.inner\.scale=\[0\.5\]: .* can only have None")
