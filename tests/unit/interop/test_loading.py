"""Damaged or unsupported checkpoints: one line names what is wrong; memory."""

import json
import logging
from pathlib import Path

import pytest
import torch
from torch import nn

from moebench.interop import free_memory, from_pretrained, save_pretrained
from moebench.interop.tensors import INDEX, SINGLE, find, write
from moebench.models.grouped_query import GroupedQueryAttention
from moebench.moe.experts import ReluMLP
from moebench.moe.routers import TopK

from .fakes import DEEPSEEK_V3, configure, model, sparse

GATE = "model.layers.1.block_sparse_moe.gate.weight"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_pretrained(model(), tmp_path)
    return tmp_path


@pytest.fixture
def sharded(tmp_path: Path) -> Path:
    save_pretrained(model(), tmp_path, shard_bytes=4000)
    return tmp_path


def rewrite(folder: Path, change: object) -> None:
    """Write the weights again, changed by a function on their map."""
    weights = {}
    for name, place in find(folder).items():
        raw = place.file.read_bytes()[place.start :]
        count = torch.Size(place.shape).numel()
        weights[name] = torch.frombuffer(bytearray(raw[: 4 * count]), dtype=torch.float32)
        weights[name] = weights[name].view(place.shape)
    change(weights)
    write(folder / SINGLE, list(weights.items()))


def test_there_and_back_is_the_same_to_the_bit(folder: Path, tmp_path: Path) -> None:
    first = from_pretrained(folder)
    save_pretrained(first, tmp_path / "again")
    again = from_pretrained(tmp_path / "again")
    assert not first.training
    for name, tensor in model().state_dict().items():
        assert torch.equal(first.state_dict()[name], tensor), name
        assert torch.equal(again.state_dict()[name], tensor), name
    assert (tmp_path / "again" / SINGLE).read_bytes() == (folder / SINGLE).read_bytes()


def test_all_parameters_can_be_trained(folder: Path) -> None:
    loaded = from_pretrained(folder)
    assert all(p.requires_grad and p.is_leaf and not p.is_meta for p in loaded.parameters())


def test_saving_over_a_sharded_checkpoint_leaves_no_old_shard(sharded: Path) -> None:
    assert (sharded / INDEX).exists()
    save_pretrained(model(), sharded)
    assert sorted(path.name for path in sharded.iterdir()) == ["config.json", SINGLE]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model_type": "llama"}, "model_type='llama' is not supported, only mixtral, olmoe"),
        (
            {"model_type": "gpt_oss"},
            r"'gpt_oss' is not supported \(attention sinks, .*only mixtral",
        ),
        ({"partial_rotary_factor": 0.5}, "partial_rotary_factor=0.5 is not supported, only 1"),
        ({"hidden_act": "gelu"}, "hidden_act='gelu' is not supported, only 'silu'"),
        ({"quantization_config": {"bits": 8}}, "quantization_config"),
        ({"rope_parameters": {"rope_type": "llama3"}}, "rope_type='llama3' is not supported"),
        ({"intermediate_size": 9}, "w1.weight is 8x16, config.json requires 9x16"),
        ({"num_hidden_layers": 3}, "missing weights: model.layers.2.block_sparse_moe.experts.0"),
        ({"num_local_experts": 3}, "unknown weights: model.layers.0.block_sparse_moe.experts.3"),
    ],
)
def test_a_configuration_that_does_not_fit(
    folder: Path, changes: dict[str, object], words: str
) -> None:
    configure(folder, **changes)
    with pytest.raises(ValueError, match=words) as refusal:
        from_pretrained(folder)
    assert "\n" not in str(refusal.value)


def test_a_missing_key_is_named(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    del config["hidden_size"]
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"config\.json: hidden_size is missing"):
        from_pretrained(folder)


def test_missing_weights_are_named(folder: Path) -> None:
    rewrite(folder, lambda weights: weights.pop(GATE))
    with pytest.raises(ValueError, match=f"missing weights: {GATE}"):
        from_pretrained(folder)


def test_unknown_weights_are_named(folder: Path) -> None:
    rewrite(folder, lambda weights: weights.update(adapter=torch.zeros(2)))
    with pytest.raises(ValueError, match="unknown weights: adapter"):
        from_pretrained(folder)


def test_a_missing_shard_is_named(sharded: Path) -> None:
    shard = sorted(sharded.glob("model-*"))[2]
    shard.unlink()
    with pytest.raises(FileNotFoundError, match=f"has no {shard.name}, which"):
        from_pretrained(sharded)


def test_an_index_with_missing_weights(sharded: Path) -> None:
    index = json.loads((sharded / INDEX).read_text())
    index["weight_map"]["more"] = index["weight_map"][GATE]
    (sharded / INDEX).write_text(json.dumps(index))
    with pytest.raises(ValueError, match="names weights that no shard has: more"):
        from_pretrained(sharded)


@pytest.mark.parametrize(
    ("keep", "words"), [(6, "truncated"), (50, "truncated"), (-8, "truncated")]
)
def test_a_file_cut_short(folder: Path, keep: int, words: str) -> None:
    (folder / SINGLE).write_bytes((folder / SINGLE).read_bytes()[:keep])
    with pytest.raises(ValueError, match=words):
        from_pretrained(folder)


def test_a_folder_without_anything(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"has no config\.json, so it is not a checkpoint"):
        from_pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "mixtral"}')
    with pytest.raises(FileNotFoundError, match=r"has neither model\.safetensors nor"):
        from_pretrained(tmp_path)


def test_types_that_are_not_known(folder: Path) -> None:
    with pytest.raises(ValueError, match="dtype=int3: unknown; one of float64"):
        from_pretrained(folder, "int3")
    raw = (folder / SINGLE).read_bytes()
    (folder / SINGLE).write_bytes(raw.replace(b'"F32"', b'"F8X"'))
    with pytest.raises(ValueError, match="type F8X is not supported"):
        from_pretrained(folder)


def test_a_type_that_memory_cannot_hold(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = sum(p.numel() for p in model().parameters())
    monkeypatch.setattr(free_memory, "free_bytes", lambda device: 3 * numbers)
    with pytest.raises(ValueError, match=r"dtype=float32: .* or dtype=bfloat16$"):
        from_pretrained(folder)
    assert from_pretrained(folder, "bfloat16").embedding.weight.dtype == torch.bfloat16
    monkeypatch.setattr(free_memory, "free_bytes", lambda device: numbers)
    with pytest.raises(ValueError, match=r"use a machine with more$"):
        from_pretrained(folder, "bfloat16")


def test_extra_layers_that_predict_further_tokens_are_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save_pretrained(model(**DEEPSEEK_V3), tmp_path)
    configure(tmp_path, num_nextn_predict_layers=1)
    name = "model.layers.2.eh_proj.weight"
    rewrite(tmp_path, lambda weights: weights.update({name: torch.zeros(2)}))
    with caplog.at_level(logging.WARNING):
        from_pretrained(tmp_path)
    assert f"left out: {name}" in caplog.text


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: nn.Linear(2, 2), "Linear: only a RotaryDecoder can be written"),
        (lambda: model(sparse=None), "has no mixture of experts"),
        (
            lambda: model(sparse=sparse(lambda dim: TopK(dim, 4), ReluMLP)),
            "experts are ReluMLP, must be SwiGLU",
        ),
        (
            lambda: model(attention=lambda d, h: GroupedQueryAttention(d, h, bias=True)),
            "no supported architecture has this GroupedQueryAttention",
        ),
    ],
)
def test_models_that_are_no_published_architecture(
    made: object, words: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=words):
        save_pretrained(made(), tmp_path / "new")
    assert not (tmp_path / "new").exists()
