"""The settings in a checkpoint's config.json, with the defaults of its architecture."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moebench.evidence.record_files import json_of
from moebench.models.decoder import DecoderShape

FILE = "config.json"


class Config:
    """The settings of a checkpoint.

    Args:
        given: the settings in the file.
        defaults: those of the architecture, for settings that the file leaves out.
    """

    def __init__(self, given: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
        self._values = {**defaults, **given}

    def __getitem__(self, key: str) -> Any:
        value = self._values.get(key)
        if value is None:
            what = "null" if key in self._values else "missing"
            raise ValueError(f"{FILE}: {key} is {what} but must be given")
        return value

    def get(self, key: str, default: Any = None) -> Any:
        """Return a setting, or the default if it is absent or null."""
        value = self._values.get(key)
        return default if value is None else value

    def replaced(self, **changes: Any) -> "Config":
        """Return the settings with some changes."""
        return Config({**self._values, **changes}, {})

    def refuse(self, **unsupported: Any) -> None:
        """Raise ValueError for a setting other than absent, null or the value given."""
        for key, supported in unsupported.items():
            value = self.get(key, supported)
            if value != supported:
                raise ValueError(f"{FILE}: {key}={value!r} is not supported, only {supported!r}")

    def shape(self, hidden: str, dense_layers: int = 0) -> DecoderShape:
        """Return the size of the decoder; `hidden` is the key for the width of dense blocks."""
        self.refuse(hidden_act="silu", quantization_config=None, is_causal=True)
        return DecoderShape(
            width=self["hidden_size"],
            layers=self["num_hidden_layers"],
            heads=self["num_attention_heads"],
            hidden=self[hidden],
            dense_layers=dense_layers,
            tied=bool(self.get("tie_word_embeddings", False)),
            epsilon=self["rms_norm_eps"],
        )


def read_json(folder: Path) -> dict[str, Any]:
    """Return the settings of the checkpoint in a folder.

    Raises:
        FileNotFoundError: if there is no config.json.
        ValueError: if it is not a JSON object, or true or false is a string in it.
    """
    path = folder / FILE
    if not path.is_file():
        raise FileNotFoundError(f"{folder}: has no {FILE}, so it is not a checkpoint")
    given = json_of(path)
    if not isinstance(given, dict):
        raise ValueError(f"{path}: expected keys and values")
    _refuse_quoted(path, given)
    return given


def _refuse_quoted(path: Path, given: Mapping[str, Any]) -> None:
    """Refuse "true" and "false" at any depth: Python would take either string as true."""
    for key, value in given.items():
        if isinstance(value, Mapping):
            _refuse_quoted(path, value)
        elif isinstance(value, str) and value.strip().lower() in ("true", "false"):
            raise ValueError(f"{path}: {key}={value!r} is a string; must be true or false")


def common(vocabulary: int, shape: DecoderShape) -> dict[str, Any]:
    """Return the settings that config.json has for every decoder."""
    return {
        "vocab_size": vocabulary,
        "hidden_size": shape.width,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "hidden_act": "silu",
        "rms_norm_eps": shape.epsilon,
        "tie_word_embeddings": shape.tied,
    }
