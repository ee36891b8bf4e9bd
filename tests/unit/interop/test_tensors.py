"""Weights whose files contradict themselves, one another or the configuration."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from moebench.interop import from_pretrained, save_pretrained, tensors
from moebench.interop.tensors import INDEX, SINGLE
from moebench.models.decoder import DecoderShape

from .fakes import configure, model

NORM, EMBEDDING = "model.norm.weight", "model.embed_tokens.weight"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_pretrained(model(shape=DecoderShape(width=16, layers=1, heads=4)), tmp_path)
    return tmp_path


def change_header(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    raw = (folder / SINGLE).read_bytes()
    end = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:end])
    text = json.dumps(change(header) or header).encode()
    (folder / SINGLE).write_bytes(len(text).to_bytes(8, "little") + text + raw[end:])


def refused(folder: Path, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refusal:
        from_pretrained(folder)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"dtype": "BF16"}, rf"offsets of {NORM} contradict its dtype or shape"),
        ({"dtype": "F64"}, rf"offsets of {NORM} contradict its dtype or shape"),
        ({"shape": [15]}, rf"offsets of {NORM} contradict its dtype or shape"),
        ({"data_offsets": [0, 64]}, "contradict its dtype or shape"),
        ({"data_offsets": [-100, -36]}, "contradict its dtype or shape"),
        ({"shape": None}, "its header is damaged"),
        ({"data_offsets": None}, "its header is damaged"),
    ],
)
def test_a_tensor_with_wrong_offsets(folder: Path, entry: dict[str, object], words: str) -> None:
    change_header(folder, lambda header: header[NORM].update(entry))
    refused(folder, words)


@pytest.mark.parametrize("header", [[1], {NORM: 3}, {NORM: {"dtype": "F32"}}])
def test_a_header_that_describes_no_tensors(folder: Path, header: Any) -> None:
    change_header(folder, lambda _: header)
    refused(folder, "not a safetensors file: its header is damaged")


def test_bytes_that_belong_to_no_tensor(folder: Path) -> None:
    with (folder / SINGLE).open("ab") as file:
        file.write(b"abcd")
    refused(folder, "damaged, 4 bytes belong to no tensor")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("[1]", "weight_map must name a file for each weight"),
        ('{"metadata": {}}', "weight_map must name a file for each weight"),
        ('{"weight_map": null}', "weight_map must name a file for each weight"),
        ('{"weight_map": {"a": 1}}', "weight_map must name a file for each weight"),
    ],
)
def test_an_index_that_is_none(folder: Path, text: str, words: str) -> None:
    (folder / SINGLE).unlink()
    (folder / INDEX).write_text(text)
    refused(folder, rf"{INDEX}: {words}")


def test_of_one_file_and_shards_the_file_counts(folder: Path) -> None:
    """As in transformers: the shards may be what an earlier model left."""
    import transformers

    weights = load_file(folder / SINGLE)
    zeros = {name: torch.zeros_like(tensor) for name, tensor in weights.items()}
    save_file(zeros, folder / "old.safetensors", {"format": "pt"})
    index = {"metadata": {}, "weight_map": dict.fromkeys(weights, "old.safetensors")}
    (folder / INDEX).write_text(json.dumps(index))
    theirs = transformers.AutoModelForCausalLM.from_pretrained(folder)
    assert torch.equal(theirs.model.embed_tokens.weight, weights[EMBEDDING])
    assert torch.equal(from_pretrained(folder).embedding.weight, weights[EMBEDDING])


@pytest.mark.parametrize("few", [torch.bfloat16, torch.float64])
@pytest.mark.parametrize("name", [EMBEDDING, NORM])
def test_the_type_is_that_of_most_numbers(folder: Path, few: torch.dtype, name: str) -> None:
    def cast(weights: dict[str, Tensor]) -> dict[str, Tensor]:
        return {**weights, name: weights[name].to(few)}

    save_file(cast(load_file(folder / SINGLE)), folder / SINGLE, {"format": "pt"})
    ours = from_pretrained(folder)
    assert {parameter.dtype for parameter in ours.parameters()} == {torch.float32}


def test_tensors_that_are_read_in_parts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cast, and compared with the head that they ought to be, which differs in its last number."""
    monkeypatch.setattr(tensors, "BUFFER", 64)
    expected = from_pretrained(folder).state_dict()
    for name, tensor in from_pretrained(folder, "bfloat16").state_dict().items():
        assert torch.equal(tensor, expected[name].bfloat16()), name
    weights = load_file(folder / SINGLE)
    weights["lm_head.weight"] = weights[EMBEDDING].clone()
    configure(folder, tie_word_embeddings=True)
    save_file(weights, folder / SINGLE, {"format": "pt"})
    assert from_pretrained(folder).shape.tied
    weights["lm_head.weight"][-1, -1] += 1
    save_file(weights, folder / SINGLE, {"format": "pt"})
    assert not from_pretrained(folder).shape.tied


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rms_norm_eps": None}, "rms_norm_eps is null but must be given"),
        ({"intermediate_size": None}, "intermediate_size is null but must be given"),
        ({"max_position_embeddings": None}, "max_position_embeddings is null but must"),
        ({"num_local_experts": None}, "num_local_experts is null but must be given"),
        ({"is_causal": False}, "is_causal=False is not supported, only True"),
        ({"num_hidden_layers": "2"}, r"config\.json: a value is of the wrong type: .*'str'"),
        ({"num_hidden_layers": 1.0}, r"config\.json: a value is of the wrong type: 'float'"),
        ({"rope_parameters": "yarn"}, r"config\.json: a value is of the wrong type: 'str'"),
        ({"rope_parameters": {"rope_theta": None}}, r"config\.json: a value is of the wrong type"),
        ({"tie_word_embeddings": "false"}, "tie_word_embeddings='false' is a string; must be true"),
        ({"attention_bias": "True "}, "attention_bias='True ' is a string; must be true or false"),
        ({"rope_parameters": {"truncate": "TRUE"}}, "truncate='TRUE' is a string; must be true or"),
        ({"model_type": ["mixtral"]}, r"model_type=\['mixtral'\] is not supported, only mixtral"),
    ],
)
def test_values_that_no_configuration_has(
    folder: Path, changes: dict[str, object], words: str
) -> None:
    configure(folder, **changes)
    refused(folder, words)


def test_attention_both_ways_is_read_so_by_transformers(folder: Path) -> None:
    """Why `is_causal` must be refused."""
    import transformers

    ids, logits = torch.arange(8)[None], []
    for causal in (True, False):
        configure(folder, is_causal=causal)
        theirs = transformers.AutoModelForCausalLM.from_pretrained(folder)
        logits.append(theirs(input_ids=ids).logits[0, 0])
    assert not torch.allclose(*logits, atol=1e-3)
