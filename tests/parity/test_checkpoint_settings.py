"""The files of a checkpoint, read as transformers reads them and kept when written again."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import transformers
from torch import Tensor, nn

from moebench.interop import from_pretrained, layer_from, save_pretrained
from moebench.interop.architectures import ARCHITECTURES
from moebench.models import RotaryDecoder

Small = Callable[..., nn.Module]
NAMES = [kind.class_name.removesuffix("ForCausalLM") for kind in ARCHITECTURES.values()]
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}


def ids() -> Tensor:
    return torch.randint(40, (2, 48), generator=torch.Generator().manual_seed(1))


def logits(model: RotaryDecoder) -> Tensor:
    return model(SimpleNamespace(input_BL=ids(), context_BL=None)).prediction


def configured(folder: Path, **changes: object) -> dict[str, object]:
    """Change config.json; a value of None removes a key."""
    path = folder / "config.json"
    config = {**json.loads(path.read_text()), **changes}
    config = {key: value for key, value in config.items() if changes.get(key, 0) is not None}
    path.write_text(json.dumps(config))
    return config


def same(ours: Tensor, theirs: nn.Module) -> None:
    expected = theirs(input_ids=ids()).logits
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=1e-5)


def read_by_both(name: str, folder: Path) -> Tensor:
    """Check that both read a folder alike; return the logits."""
    found = logits(from_pretrained(folder))
    same(found, getattr(transformers, f"{name}ForCausalLM").from_pretrained(folder).eval())
    return found


DEFAULT = {"rope_type": "default", "rope_theta": 500.0}


@pytest.mark.parametrize("name", ["Mixtral", "Qwen3Moe", "DeepseekV3"])
@pytest.mark.parametrize(
    "said",
    [
        {"rope_parameters": DEFAULT, "rope_scaling": YARN},
        {"rope_parameters": {**DEFAULT, **YARN}, "rope_scaling": {**YARN, "factor": 2.0}},
        {"rope_parameters": {**DEFAULT, **YARN}, "rope_scaling": DEFAULT},
        {"rope_parameters": DEFAULT, "rope_scaling": YARN, "rope_theta": 90.0},
        {"rope_parameters": DEFAULT, "rope_theta": 90.0},
        {"rope_parameters": None, "rope_scaling": {"type": "yarn", "factor": 4.0}},
        {"rope_parameters": {"rope_type": "yarn", "factor": 4.0, "rope_theta": 500.0}},
        {
            "rope_parameters": {"rope_type": "yarn", "factor": 4.0},
            "original_max_position_embeddings": 16,
        },
        {"rope_parameters": {**YARN, "mscale": 0.7, "mscale_all_dim": 0.5}},
        {"rope_parameters": {**YARN, "original_max_position_embeddings": 4, "rope_theta": 2.0}},
        {"rope_parameters": {**YARN, "original_max_position_embeddings": 9000, "rope_theta": 3.0}},
        {"rope_parameters": {**YARN, "beta_fast": 1, "beta_slow": 8, "rope_theta": 2.0}},
    ],
)
def test_positions_are_read_as_by_transformers(
    small: Small, name: str, said: dict[str, object], tmp_path: Path
) -> None:
    small(name).save_pretrained(tmp_path)
    configured(tmp_path, rope_theta=None)
    configured(tmp_path, **said)
    found = read_by_both(name, tmp_path)
    save_pretrained(from_pretrained(tmp_path), tmp_path / "ours")
    torch.testing.assert_close(read_by_both(name, tmp_path / "ours"), found, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("said", [{"moe_topk": 1}, {"moe_topk": None}])
def test_the_second_name_of_a_number_of_choices_wins(
    said: dict[str, object], small: Small, tmp_path: Path
) -> None:
    small("HunYuanMoEV1").save_pretrained(tmp_path)
    configured(tmp_path, num_experts_per_tok=3, **said)
    read_by_both("HunYuanMoEV1", tmp_path)


def test_a_factor_that_is_null_follows_from_the_lengths(small: Small, tmp_path: Path) -> None:
    small("Qwen3Moe").save_pretrained(tmp_path)
    configured(tmp_path, rope_parameters={**YARN, "factor": None})
    read_by_both("Qwen3Moe", tmp_path)


def test_two_forms_of_positions_that_differ_are_reported(
    small: Small, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    small("Mixtral").save_pretrained(tmp_path)
    configured(tmp_path, rope_parameters=DEFAULT, rope_scaling=YARN)
    with caplog.at_level(logging.WARNING):
        from_pretrained(tmp_path)
    assert "differs from rope_parameters and wins" in caplog.text
    caplog.clear()
    save_pretrained(from_pretrained(tmp_path), tmp_path / "ours")
    caplog.clear()
    from_pretrained(tmp_path / "ours")
    assert not caplog.text


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("said", [{**YARN, "rope_theta": 700.0}, {**DEFAULT}])
def test_older_readers_find_the_positions_where_they_look(
    small: Small, name: str, said: dict[str, object], tmp_path: Path
) -> None:
    """Without `rope_parameters`, which they do not know, all is said as well."""
    theirs = small(name, rope_parameters=dict(said))
    theirs.save_pretrained(tmp_path / "theirs")
    save_pretrained(from_pretrained(tmp_path / "theirs"), tmp_path / "ours")
    written = json.loads((tmp_path / "ours" / "config.json").read_text())
    assert written["rope_theta"] == said["rope_theta"]
    assert (written["rope_scaling"] or {}).get("type", "default") == said["rope_type"]
    configured(tmp_path / "ours", rope_parameters=None)
    same(read_by_both(name, tmp_path / "ours"), theirs)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"rope_parameters": {"rope_type": "yarn"}}, "rope_type='yarn' needs a factor"),
        ({"rope_parameters": {"full_attention": DEFAULT}}, "differ between layers"),
        ({"rope_scaling": {"type": "dynamic", "factor": 2.0}}, "rope_type='dynamic'"),
    ],
)
def test_positions_that_are_refused(
    small: Small, said: dict[str, object], words: str, tmp_path: Path
) -> None:
    small("Mixtral").save_pretrained(tmp_path)
    configured(tmp_path, **said)
    with pytest.raises(ValueError, match=words):
        from_pretrained(tmp_path)


def tied(small: Small, folder: Path, change: object) -> None:
    """Write a checkpoint that says it is tied and has a head of its own, changed by a function."""
    from safetensors.torch import load_file, save_file

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


def biased(small: Small, dtype: torch.dtype) -> nn.Module:
    """DeepSeek-V3's block in its own number of experts, as transformers loads it."""
    block = small("DeepseekV3", n_routed_experts=256, num_experts_per_tok=8, num_hidden_layers=2)
    generator = torch.Generator().manual_seed(3)
    moe = block.model.layers[1].mlp
    with torch.no_grad():
        moe.gate.weight.copy_(0.02 * torch.randn(256, 16, generator=generator))
        moe.gate.e_score_correction_bias.copy_(10 + 0.1 * torch.randn(256, generator=generator))
    bias = moe.gate.e_score_correction_bias.clone()
    moe.to(dtype)
    moe.gate.e_score_correction_bias = bias  # kept in float32 whatever the rest is
    return moe


def test_the_bias_of_a_bfloat16_block_stays_exact(small: Small) -> None:
    moe = biased(small, torch.bfloat16)
    layer = layer_from(moe)
    assert layer.router.bias_E.dtype == torch.float32
    assert layer.experts.down_EFD.dtype == torch.bfloat16
    x_TD = torch.randn(500, 16, generator=torch.Generator().manual_seed(2)).bfloat16()
    _, _, expected_TK = moe.gate(x_TD)
    _, decision = layer(x_TD)
    found_TK = decision.expert_A.view(8, -1).T
    assert torch.equal(found_TK.sort(dim=1).values, expected_TK.sort(dim=1).values)


def test_a_block_in_float64_keeps_all_digits(small: Small) -> None:
    moe = small("DeepseekV3").double().model.layers[1].mlp
    with torch.no_grad():
        moe.gate.weight += 1e-12 * torch.randn(8, 16, dtype=torch.float64)
    layer = layer_from(moe)
    assert torch.equal(layer.router.score.weight, moe.gate.weight)
    assert layer.router.bias_E.dtype == torch.float64


def test_a_bfloat16_checkpoint_keeps_the_bias_in_float32(small: Small, tmp_path: Path) -> None:
    theirs = small("DeepseekV3")
    gate = theirs.model.layers[1].mlp.gate
    with torch.no_grad():
        gate.e_score_correction_bias.copy_(10 + 0.01 * torch.randn(8))
    theirs.save_pretrained(tmp_path)
    ours = from_pretrained(tmp_path, "bfloat16")
    bias_E = ours.blocks[1].feed_forward.inner.moe.router.bias_E
    assert torch.equal(bias_E, gate.e_score_correction_bias)
    cast = from_pretrained(tmp_path).to(torch.bfloat16)
    assert torch.equal(cast.blocks[1].feed_forward.inner.moe.router.bias_E, bias_E)
    save_pretrained(ours, tmp_path / "ours")
    again = from_pretrained(tmp_path / "ours")
    assert torch.equal(again.blocks[1].feed_forward.inner.moe.router.bias_E, bias_E)


def test_a_bfloat16_checkpoint_keeps_a_router_in_float32(small: Small, tmp_path: Path) -> None:
    small("Ernie4_5_Moe", dtype="bfloat16").save_pretrained(tmp_path / "first")
    kind = transformers.Ernie4_5_MoeForCausalLM
    theirs = kind.from_pretrained(tmp_path / "first", dtype="bfloat16")
    gate = theirs.model.layers[1].mlp.gate
    assert gate.weight.dtype == torch.float32
    with torch.no_grad():
        gate.weight += 1e-4
        gate.moe_statics.e_score_correction_bias += 1
    theirs.save_pretrained(tmp_path / "theirs")
    ours = from_pretrained(tmp_path / "theirs")
    router = ours.blocks[1].feed_forward.inner.moe.router
    assert ours.embedding.weight.dtype == torch.bfloat16
    assert torch.equal(router.score.weight, gate.weight)
    assert torch.equal(router.bias_E, gate.moe_statics.e_score_correction_bias[0])
    save_pretrained(ours, tmp_path / "ours")
    again = kind.from_pretrained(tmp_path / "ours", dtype="bfloat16")
    assert torch.equal(again.model.layers[1].mlp.gate.weight, gate.weight)
    assert torch.equal(
        from_pretrained(tmp_path / "ours").state_dict()["embedding.weight"], ours.embedding.weight
    )


def test_a_router_that_was_cast_is_written_as_it_is(small: Small, tmp_path: Path) -> None:
    small("Ernie4_5_Moe").save_pretrained(tmp_path / "theirs")
    ours = from_pretrained(tmp_path / "theirs").to(torch.bfloat16)
    save_pretrained(ours, tmp_path / "ours")
    again = from_pretrained(tmp_path / "ours").blocks[1].feed_forward.inner.moe.router
    weight = ours.blocks[1].feed_forward.inner.moe.router.score.weight
    assert torch.equal(again.score.weight, weight.float())


def test_modules_for_further_tokens_are_left_out(
    small: Small, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from safetensors.torch import load_file, save_file

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
