"""Positions of checkpoints: read as transformers reads them, written for old and new readers."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from moebench.interop import from_pretrained, save_pretrained
from moebench.interop.architectures import ARCHITECTURES

from .checkpoints import configured, read_by_both, same

Small = Callable[..., nn.Module]
NAMES = [kind.class_name.removesuffix("ForCausalLM") for kind in ARCHITECTURES.values()]
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}
DEFAULT = {"rope_type": "default", "rope_theta": 500.0}
SAID = [
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
]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        *(("Mixtral", said) for said in SAID),
        *(
            (name, said)
            for name in ("Qwen3Moe", "DeepseekV3")
            for said in (SAID[0], SAID[6], SAID[8])
        ),
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


@pytest.mark.parametrize(
    ("name", "said"),
    [("Mixtral", DEFAULT), *((name, {**YARN, "rope_theta": 700.0}) for name in NAMES)],
)
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
