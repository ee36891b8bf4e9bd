"""What a checkpoint's config.json says, with the defaults of its architecture."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moebench.models.mixtral_2024 import DecoderShape
from moebench.models.positions import Positions, Yarn

FILE = "config.json"


class Config:
    """The settings of a checkpoint.

    Args:
        given: what the file says.
        defaults: of the architecture, for what it leaves out.
    """

    def __init__(self, given: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
        self._values = {**defaults, **given}

    def __getitem__(self, key: str) -> Any:
        if key not in self._values:
            raise ValueError(f"{FILE}: {key} is missing")
        return self._values[key]

    def get(self, key: str, default: Any = None) -> Any:
        """Return a setting, or the default where it is absent or null."""
        value = self._values.get(key)
        return default if value is None else value

    def refuse(self, **unsupported: Any) -> None:
        """Raise ValueError for a setting that is neither absent nor null nor the value given."""
        for key, supported in unsupported.items():
            value = self.get(key, supported)
            if value != supported:
                raise ValueError(f"{FILE}: {key}={value!r} is not supported, only {supported!r}")

    def shape(self, hidden: str, dense_layers: int = 0) -> DecoderShape:
        """Return the size of the decoder; `hidden` is the key of the width of dense blocks."""
        self.refuse(hidden_act="silu", quantization_config=None)
        return DecoderShape(
            width=self["hidden_size"],
            layers=self["num_hidden_layers"],
            heads=self["num_attention_heads"],
            hidden=self[hidden],
            dense_layers=dense_layers,
            tied=bool(self.get("tie_word_embeddings", False)),
            epsilon=self["rms_norm_eps"],
        )

    def positions(self, window: int | None = None, interleaved: bool = False) -> Positions:
        """Return the positions.

        Raises:
            ValueError: for a way to stretch them that is not known here.
        """
        rope = self.rope()
        kind = rope.get("rope_type") or rope.get("type") or "default"
        if kind not in ("default", "yarn"):
            raise ValueError(f"{FILE}: rope_type={kind!r} is not supported, only default and yarn")
        return Positions(
            base=float(rope["rope_theta"]),
            context=self["max_position_embeddings"],
            window=window or None,
            interleaved=interleaved,
            yarn=_yarn(rope, self["max_position_embeddings"]) if kind == "yarn" else None,
        )

    def rope(self) -> dict[str, Any]:
        """Return what is said of rotary positions, in the new form or in the old one."""
        told = self.get("rope_parameters") or self.get("rope_scaling") or {}
        return {"rope_theta": self.get("rope_theta", 10_000.0), **told}


def read_json(folder: Path) -> dict[str, Any]:
    """Return the settings in a folder.

    Raises:
        FileNotFoundError: if there is no config.json.
        ValueError: if it is no JSON object.
    """
    path = folder / FILE
    if not path.is_file():
        raise FileNotFoundError(f"{folder}: no {FILE}, so no checkpoint")
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: not JSON: {error}") from None
    if not isinstance(given, dict):
        raise ValueError(f"{path}: expected keys and values")
    return given


def growth(factor: float, weight: float = 1.0) -> float:
    """Return 0.1 w ln(factor) + 1, by which YaRN sharpens attention (arXiv 2309.00071, eq. 22)."""
    return 0.1 * weight * math.log(factor) + 1 if factor > 1 else 1.0


def _yarn(rope: Mapping[str, Any], context: int) -> Yarn:
    if rope.get("truncate", True) is not True:
        raise ValueError(f"{FILE}: truncate={rope['truncate']!r} of yarn is not supported")
    first = rope["original_max_position_embeddings"]
    factor = rope.get("factor") or context / first
    sharp, everywhere = rope.get("mscale"), rope.get("mscale_all_dim")
    attention = rope.get("attention_factor")
    if attention is None:
        attention = growth(factor)
        if sharp and everywhere:
            attention = growth(factor, sharp) / growth(factor, everywhere)
    fast, slow = rope.get("beta_fast") or 32, rope.get("beta_slow") or 1
    return Yarn(float(factor), int(first), float(fast), float(slow), float(attention))


def rope_parameters(positions: Positions) -> dict[str, Any]:
    """Return what config.json says of positions."""
    if positions.yarn is None:
        return {"rope_theta": positions.base, "rope_type": "default"}
    yarn = positions.yarn
    return {
        "rope_theta": positions.base,
        "rope_type": "yarn",
        "factor": yarn.factor,
        "original_max_position_embeddings": yarn.first_context,
        "beta_fast": yarn.fast,
        "beta_slow": yarn.slow,
        "attention_factor": yarn.attention,
    }


def common(vocabulary: int, shape: DecoderShape, positions: Positions) -> dict[str, Any]:
    """Return the settings that config.json has for every decoder."""
    return {
        "vocab_size": vocabulary,
        "hidden_size": shape.width,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "hidden_act": "silu",
        "rms_norm_eps": shape.epsilon,
        "tie_word_embeddings": shape.tied,
        "max_position_embeddings": positions.context,
        "rope_parameters": rope_parameters(positions),
    }
