"""The files of a checkpoint, read as transformers reads them and kept when written again."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from moebench.interop import from_pretrained, save_pretrained
from moebench.interop.architectures import ARCHITECTURES

from .checkpoints import configured, logits, read_by_both, same

Small = Callable[..., nn.Module]
NAMES = [kind.class_name.removesuffix("ForCausalLM") for kind in ARCHITECTURES.values()]


@pytest.mark.parametrize("said", [{"moe_topk": 1}, {"moe_topk": None}])
def test_the_second_name_of_a_number_of_choices_wins(
    said: dict[str, object], small: Small, tmp_path: Path
) -> None:
    small("HunYuanMoEV1").save_pretrained(tmp_path)
    configured(tmp_path, num_experts_per_tok=3, **said)
    read_by_both("HunYuanMoEV1", tmp_path)


def tied(small: Small, folder: Path, change: object) -> None:
    """Write a checkpoint that says it is tied and has a head of its own, changed by a function."""
    small("Mixtral").save_pretrained(folder)
    configured(folder, tie_word_embeddings=True)
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def test_a_head_that_differs_from_its_embedding_is_kept(
    small: Small, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tied(small, tmp_path, lambda weights: None)
    with caplog.at_level(logging.WARNING):
        read_by_both("Mixtral", tmp_path)
    assert "lm_head.weight differs from model.embed_tokens.weight; both are kept" in caplog.text
    save_pretrained(from_pretrained(tmp_path), tmp_path / "ours")
    assert not json.loads((tmp_path / "ours" / "config.json").read_text())["tie_word_embeddings"]
    read_by_both("Mixtral", tmp_path / "ours")


@pytest.mark.parametrize("absent", ["lm_head.weight", "model.embed_tokens.weight", None])
def test_a_head_that_is_its_embedding(
    small: Small, tmp_path: Path, absent: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    def change(weights: dict[str, Tensor]) -> None:
        weights["lm_head.weight"] = weights["model.embed_tokens.weight"].clone()
        weights.pop(absent, None)

    tied(small, tmp_path, change)
    assert from_pretrained(tmp_path).shape.tied
    read_by_both("Mixtral", tmp_path)
    assert "differs" not in caplog.text


@pytest.mark.parametrize("name", NAMES)
def test_experts_that_are_stacked(small: Small, name: str, tmp_path: Path) -> None:
    theirs = small(name)
    theirs.save_pretrained(tmp_path, save_original_format=False)
    same(logits(from_pretrained(tmp_path)), theirs)


def test_a_round_trip_keeps_what_is_no_property_of_the_decoder(
    small: Small, tmp_path: Path
) -> None:
    settings = {"bos_token_id": 3, "eos_token_id": [4, 5], "pad_token_id": 6}
    theirs = small("Mixtral", **settings, router_aux_loss_coef=0.02)
    theirs.generation_config.update(temperature=0.3, do_sample=True, eos_token_id=[4, 5])
    theirs.save_pretrained(tmp_path / "theirs")
    files = ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"]
    for name in files:
        (tmp_path / "theirs" / name).write_text(f"{name}!")
    save_pretrained(from_pretrained(tmp_path / "theirs"), tmp_path / "ours")
    for name in (*files, "generation_config.json"):
        expected = (tmp_path / "theirs" / name).read_text()
        assert (tmp_path / "ours" / name).read_text() == expected
    again = transformers.MixtralForCausalLM.from_pretrained(tmp_path / "ours")
    for name, value in settings.items():
        assert getattr(again.config, name) == value
    assert again.config.router_aux_loss_coef == 0.02
    assert again.generation_config.temperature == 0.3
    assert again.generation_config.eos_token_id == [4, 5]


@pytest.mark.parametrize("name", NAMES)
def test_all_settings_come_back(small: Small, name: str, tmp_path: Path) -> None:
    """Whatever transformers reads of the first configuration, it reads of the second."""
    settings = {"bos_token_id": 3, "eos_token_id": 4, "pad_token_id": 6}
    settings |= {"sep_token_id": 7, "eod_token_id": 8, "im_end_id": 9}
    small(name, **settings, initializer_range=0.5).save_pretrained(tmp_path / "theirs")
    save_pretrained(from_pretrained(tmp_path / "theirs"), tmp_path / "ours")
    first, second = (
        transformers.AutoConfig.from_pretrained(tmp_path / where).to_dict()
        for where in ("theirs", "ours")
    )
    aside = {"_name_or_path", "transformers_version", "rope_parameters"}
    # Sizes that say nothing where no layer or head has them, and no modules for further tokens.
    aside |= {"sliding_window", "head_dim", "num_mtp_layers", "num_nextn_predict_layers"}
    aside |= {"num_key_value_heads", "max_window_layers"} if name.startswith("Deep") else set()
    differ = {key for key in first if first[key] != second.get(key) and key not in aside}
    assert not differ, {key: (first[key], second.get(key)) for key in differ}


def test_another_checkpoint_can_provide_its_tokenizer(small: Small, tmp_path: Path) -> None:
    small("Olmoe", eos_token_id=4, router_aux_loss_coef=0.5).save_pretrained(tmp_path / "other")
    (tmp_path / "other" / "tokenizer.json").write_text("{}")
    small("Mixtral").save_pretrained(tmp_path / "theirs")
    model = from_pretrained(tmp_path / "theirs")
    save_pretrained(model, tmp_path / "ours", like=tmp_path / "other")
    assert (tmp_path / "ours" / "tokenizer.json").is_file()
    written = json.loads((tmp_path / "ours" / "config.json").read_text())
    assert written["eos_token_id"] == 4
    assert "router_aux_loss_coef" not in written
    (tmp_path / "ours" / "merges.txt").write_text("of a tokenizer that was there before")
    save_pretrained(model, tmp_path / "ours", like=tmp_path / "other")
    assert not (tmp_path / "ours" / "merges.txt").exists()
    configured(tmp_path / "other", vocab_size=41)
    with pytest.raises(ValueError, match="vocab_size=41, but the model has 40"):
        save_pretrained(model, tmp_path / "new", like=tmp_path / "other")
    with pytest.raises(FileNotFoundError, match="so it is not a checkpoint"):
        save_pretrained(model, tmp_path / "new", like=tmp_path / "nowhere")
    assert not (tmp_path / "new").exists()


def test_a_checkpoint_can_be_written_over_itself(small: Small, tmp_path: Path) -> None:
    theirs = small("Mixtral", eos_token_id=4)
    theirs.save_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    save_pretrained(from_pretrained(tmp_path), tmp_path)
    assert (tmp_path / "tokenizer.json").is_file()
    assert json.loads((tmp_path / "config.json").read_text())["eos_token_id"] == 4
    read_by_both("Mixtral", tmp_path)


def test_leaving_a_checkpoint_behind_is_reported(
    small: Small, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    small("Mixtral").save_pretrained(tmp_path)
    model = from_pretrained(tmp_path)
    (tmp_path / "config.json").unlink()
    with caplog.at_level(logging.WARNING):
        save_pretrained(model, tmp_path / "ours")
    assert "no longer exists; its special tokens and tokenizer are not kept" in caplog.text


def test_modules_for_further_tokens_are_left_out(
    small: Small, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    small("Ernie4_5_Moe").save_pretrained(tmp_path)
    file, name = tmp_path / "model.safetensors", "model.mtp_linear_proj.0.weight"
    save_file({**load_file(file), name: torch.zeros(16, 32)}, file, {"format": "pt"})
    with caplog.at_level(logging.WARNING):
        read_by_both("Ernie4_5_Moe", tmp_path)
    assert f"left out: {name}" in caplog.text


@pytest.mark.parametrize(
    ("name", "said", "words"),
    [
        ("GraniteMoe", {"attention_bias": True}, "attention_bias=True is not supported"),
        (
            "GraniteMoe",
            {"residual_multiplier": 0.0},
            r"multipliers\.residual=0\.0: must be above 0",
        ),
        ("Ernie4_5_Moe", {"use_bias": True}, "use_bias=True is not supported"),
        ("Ernie4_5_Moe", {"moe_norm_min": 0.1}, "moe_norm_min=0.1 is not supported"),
        (
            "Ernie4_5_Moe",
            {"moe_layer_start_index": 0, "moe_layer_end_index": 1},
            "moe_layer_end_index=1.*at equal distances",
        ),
    ],
)
def test_settings_that_are_refused(
    name: str, said: dict[str, object], words: str, small: Small, tmp_path: Path
) -> None:
    small(name).save_pretrained(tmp_path)
    configured(tmp_path, **said)
    with pytest.raises(ValueError, match=words):
        from_pretrained(tmp_path)
