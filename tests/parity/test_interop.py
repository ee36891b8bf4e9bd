"""Checkpoints of transformers: read with the same logits and gradients, and written for it."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from moebench.interop import ARCHITECTURES, from_pretrained, layer_from, save_pretrained
from moebench.interop.names import Stacked
from moebench.interop.pretrained import sources_of
from moebench.models.grouped_query import Heads
from moebench.models.mixtral_2024 import CausalDecoder, DecoderShape, Shared
from moebench.moe.experts import SwiGLU
from moebench.moe.layer import Sparse
from moebench.moe.routers import SoftmaxTopK, Switch, TopK

SIZES = {
    "vocab_size": 50,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "num_experts_per_tok": 2,
}
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "mixtral": ("Mixtral", {"num_local_experts": 4}),
    "mixtral, window": ("Mixtral", {"num_local_experts": 4, "sliding_window": 5}),
    "mixtral, tied": ("Mixtral", {"num_local_experts": 4, "tie_word_embeddings": True}),
    "mixtral, wide heads": ("Mixtral", {"num_local_experts": 4, "head_dim": 12}),
    "olmoe": ("Olmoe", {"num_experts": 4}),
    "olmoe, normalised": ("Olmoe", {"num_experts": 4, "norm_topk_prob": True}),
    "qwen2": (
        "Qwen2Moe",
        {"num_experts": 4, "moe_intermediate_size": 16, "shared_expert_intermediate_size": 24},
    ),
    "qwen2, first layer dense": (
        "Qwen2Moe",
        {
            **{"num_experts": 4, "moe_intermediate_size": 16, "mlp_only_layers": [0]},
            **{"shared_expert_intermediate_size": 24, "qkv_bias": False},
        },
    ),
    "qwen3": ("Qwen3Moe", {"num_experts": 4, "moe_intermediate_size": 16, "head_dim": 8}),
    "qwen3, every second layer": (
        "Qwen3Moe",
        {
            **{"num_experts": 4, "moe_intermediate_size": 16, "head_dim": 8},
            **{"decoder_sparse_step": 2, "norm_topk_prob": True},
        },
    ),
}


def theirs(family: str, **changes: Any) -> Any:
    """A small model of transformers, every parameter of it away from one and zero."""
    name, own = FAMILIES[family]
    config = getattr(transformers, f"{name}Config")(**{**SIZES, **own, **changes})
    model = getattr(transformers, f"{name}ForCausalLM")(config)
    shake(model)
    return model.eval()


def shake(module: nn.Module) -> None:
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            noise = 0.2 * torch.randn(parameter.shape, generator=generator)
            parameter.copy_(noise if parameter.dim() > 1 else 1 + noise)


def ids() -> Tensor:
    return torch.randint(50, (2, 13), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_and_gradients_agree(family: str, tmp_path: Path) -> None:
    reference = theirs(family)
    reference.save_pretrained(tmp_path)
    model = from_pretrained(tmp_path)
    expected = reference(ids()).logits
    found = model.predict(ids()).prediction
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    assert not torch.allclose(expected[:, 1:], expected[:, :-1], atol=0.1), "logits that differ"

    expected.sin().sum().backward()
    found.sin().sum().backward()
    # A gradient stands where its weight stands: translate both the way weights are translated.
    for parameter in (*reference.parameters(), *model.parameters()):
        assert parameter.grad is not None
    with torch.no_grad():
        for of in (reference, model):
            for parameter in of.parameters():
                parameter.copy_(parameter.grad)
    reference.save_pretrained(tmp_path / "gradients")
    translated = dict(from_pretrained(tmp_path / "gradients").named_parameters())
    for name, parameter in model.named_parameters():
        scale = translated[name].abs().max().item()
        torch.testing.assert_close(parameter, translated[name], atol=1e-4 * scale, rtol=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_saved_is_read_by_transformers(family: str, tmp_path: Path) -> None:
    reference = theirs(family)
    reference.save_pretrained(tmp_path / "theirs")
    kind = reference.config.model_type
    save_pretrained(from_pretrained(tmp_path / "theirs"), tmp_path / "ours", kind)
    again, report = type(reference).from_pretrained(tmp_path / "ours", output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    torch.testing.assert_close(again(ids()).logits, reference(ids()).logits, atol=1e-6, rtol=0)
    assert sorted(path.name for path in (tmp_path / "ours").iterdir()) == [
        *("config.json", "model.safetensors"),
    ]


def test_shards_in_and_out(tmp_path: Path) -> None:
    reference = theirs("mixtral")
    reference.save_pretrained(tmp_path / "theirs", max_shard_size="20KB")
    assert len(list((tmp_path / "theirs").glob("*.safetensors"))) > 2
    model = from_pretrained(tmp_path / "theirs")
    expected = reference(ids()).logits
    torch.testing.assert_close(model.predict(ids()).prediction, expected, atol=1e-5, rtol=0)
    save_pretrained(model, tmp_path / "ours", shard_bytes=20_000)
    files = sorted((tmp_path / "ours").glob("*.safetensors"))
    assert len(files) > 2
    assert max(path.stat().st_size for path in files) < 25_000
    again = type(reference).from_pretrained(tmp_path / "ours")
    torch.testing.assert_close(again(ids()).logits, expected, atol=1e-6, rtol=0)


def test_the_type_of_the_files_or_another(tmp_path: Path) -> None:
    theirs("olmoe").bfloat16().save_pretrained(tmp_path)
    assert {p.dtype for p in from_pretrained(tmp_path).parameters()} == {torch.bfloat16}
    wide = from_pretrained(tmp_path, torch.float32)
    assert {p.dtype for p in wide.parameters()} == {torch.float32}


def decoder(**changes: Any) -> CausalDecoder:
    """A decoder that Mixtral can express."""
    parts: dict[str, Any] = {
        "vocabulary": 20,
        "shape": DecoderShape(width=16, layers=2, hidden=24),
        "heads": Heads(2, 1, 8),
        "sparse": Sparse(partial(TopK, num_experts=4, k=2), partial(SwiGLU, hidden=24), every=1),
    }
    return CausalDecoder(**{**parts, **changes}).eval()


def test_a_decoder_of_ours_finds_its_architecture(tmp_path: Path) -> None:
    for number, (changes, kind) in enumerate(
        [
            ({}, "mixtral"),
            ({"heads": Heads(2, 1, 8, norm="all")}, "olmoe"),
            ({"heads": Heads(2, 1, 8, norm="each")}, "qwen3_moe"),
            ({"shared": Shared(8, gated=True)}, "qwen2_moe"),
            ({"leading": 1, "heads": Heads(2, 1, 8, norm="each")}, "qwen3_moe"),
        ]
    ):
        model = decoder(**changes)
        save_pretrained(model, tmp_path / str(number))
        config = json.loads((tmp_path / str(number) / "config.json").read_text())
        assert config["model_type"] == kind
        again = from_pretrained(tmp_path / str(number))
        x = torch.arange(10)[None]
        assert torch.equal(again.predict(x).prediction, model.predict(x).prediction)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"shared": Shared(8)}, "mixtral: other parameters"),
        ({"leading": 1}, "mixtral: config.mlp_only_layers"),
        (
            {"sparse": Sparse(partial(Switch, num_experts=4), partial(SwiGLU, hidden=8), every=1)},
            "config.num_experts_per_tok: missing",
        ),
        (
            {
                "sparse": Sparse(
                    partial(SoftmaxTopK, num_experts=4, k=2), partial(SwiGLU, hidden=24), every=1
                )
            },
            "mixtral: other routers",
        ),
    ],
)
def test_what_cannot_be_expressed_is_refused(
    changes: dict[str, Any], why: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=why):
        save_pretrained(decoder(**changes), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_no_mixture_and_no_such_architecture(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no mixture"):
        save_pretrained(decoder(sparse=None), tmp_path)
    with pytest.raises(ValueError, match=r"architecture=llama: not supported; one of mixtral"):
        save_pretrained(decoder(), tmp_path, "llama")


def edit_config(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    content = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({k: v for k, v in content.items() if v != "gone"}))


def edit_tensors(folder: Path, change: Callable[[dict[str, Tensor]], None]) -> None:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors")


GATE = "model.layers.1.block_sparse_moe.gate.weight"


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (lambda f: edit_config(f, model_type="llama"), "model_type=llama: not supported; one of"),
        (lambda f: edit_config(f, hidden_act="gelu"), "hidden_act=gelu: not supported, only silu"),
        (lambda f: edit_config(f, vocab_size="gone"), "config.vocab_size: missing"),
        (lambda f: edit_config(f, num_local_experts="gone"), "config.num_local_experts: missing"),
        (
            lambda f: edit_config(f, rope_parameters={"rope_type": "yarn"}),
            "rope_type=yarn: not supported",
        ),
        (lambda f: edit_config(f, mlp_only_layers=[1]), r"mlp_only_layers=\[1\]: not supported"),
        (lambda f: edit_config(f, hidden_size=64, head_dim=8), r"has the shape .* asks for"),
        (lambda f: edit_config(f, num_local_experts=5), "missing weights: .*experts.4.w1.weight"),
        (lambda f: edit_config(f, num_hidden_layers=2), r"unknown weights: .* and \d+ more"),
        (lambda f: edit_tensors(f, lambda t: t.pop(GATE)), f"missing weights: {GATE}"),
        (lambda f: edit_tensors(f, lambda t: t.update(extra=torch.ones(1))), "unknown weights: ex"),
        (lambda f: (f / "config.json").write_text("{"), "config.json: no JSON"),
        (lambda f: (f / "config.json").write_text("[]"), "config.json: expected a map"),
        (lambda f: (f / "model.safetensors").write_bytes(b"x" * 9), "no safetensors file"),
    ],
)
def test_a_harmed_checkpoint_is_refused_by_name(
    harm: Callable[[Path], None], why: str, tmp_path: Path
) -> None:
    theirs("mixtral").save_pretrained(tmp_path)
    harm(tmp_path)
    with pytest.raises(ValueError, match=why):
        from_pretrained(tmp_path)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"config.json: missing"):
        from_pretrained(tmp_path)
    theirs("mixtral").save_pretrained(tmp_path, max_shard_size="20KB")
    shard = sorted(tmp_path.glob("model-*.safetensors"))[1]
    shard.unlink()
    with pytest.raises(FileNotFoundError, match=rf"{shard.name}: missing shard, with \d+ of"):
        from_pretrained(tmp_path)
    (tmp_path / "model.safetensors.index.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"model.safetensors: missing, and so is"):
        from_pretrained(tmp_path)


def test_more_than_memory_holds_is_refused(tmp_path: Path) -> None:
    theirs("mixtral").save_pretrained(tmp_path)
    edit_config(tmp_path, vocab_size=2**40)
    with pytest.raises(ValueError, match=r"the weights take .* GiB, memory has .* GiB free"):
        from_pretrained(tmp_path)


@pytest.mark.parametrize("family", ["mixtral", "olmoe", "olmoe, normalised", "qwen3"])
def test_one_layer_is_taken_over(family: str) -> None:
    block = theirs(family).model.layers[1].mlp
    layer = layer_from(block)
    x_TD = torch.randn(11, 32, generator=torch.Generator().manual_seed(2))
    found, _ = layer(x_TD)
    torch.testing.assert_close(found, block(x_TD[None])[0], atol=1e-6, rtol=1e-5)


def test_a_layer_of_switch_is_taken_over() -> None:
    from transformers.models.switch_transformers.modeling_switch_transformers import (
        SwitchTransformersSparseMLP,
    )

    config = transformers.SwitchTransformersConfig(
        d_model=16, d_ff=24, num_experts=4, expert_capacity=64, dropout_rate=0.0
    )
    block = SwitchTransformersSparseMLP(config).eval()
    shake(block)
    x_TD = torch.randn(11, 16, generator=torch.Generator().manual_seed(2))
    expected = block(x_TD[None])
    expected = expected[0] if isinstance(expected, tuple) else expected
    found, _ = layer_from(block).eval()(x_TD)
    torch.testing.assert_close(found, expected.reshape(11, 16), atol=1e-6, rtol=1e-5)


def test_other_modules_are_refused() -> None:
    with pytest.raises(ValueError, match=r"module=Linear: .* one of MixtralSparseMoeBlock"):
        layer_from(nn.Linear(2, 2))


def test_every_parameter_has_one_source() -> None:
    """No tensor of a checkpoint is read twice, and stacked ones name every expert."""
    model = decoder()
    sources = sources_of(model, ARCHITECTURES["mixtral"])
    names = [name for source in sources.values() for name in source.names]
    assert len(set(names)) == len(names)
    stacked = [source for source in sources.values() if isinstance(source, Stacked)]
    assert sorted(len(source.names) for source in stacked) == [4, 4, 8, 8]
