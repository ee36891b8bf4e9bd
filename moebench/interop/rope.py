"""Rotary positions in config.json: read as transformers reads them, and written.

Newer files have `rope_parameters`, older ones `rope_theta` and `rope_scaling`. If both are there,
transformers lets `rope_scaling` win.
"""

import logging
import math
from collections.abc import Mapping
from typing import Any

from moebench.interop.config import FILE, Config
from moebench.models.rotary import RotaryEmbedding, Yarn

PARTIAL = "partial_rotary_factor"
log = logging.getLogger(__name__)


def positions_of(
    config: Config, window: int | None = None, interleaved: bool = False, partial: bool = False
) -> RotaryEmbedding:
    """Return the positions.

    Args:
        config: the settings.
        window: tokens that a token sees; None or 0: all before it.
        interleaved: whether a pair's two features are neighbours.
        partial: whether the architecture may rotate only some features of a head.

    Raises:
        ValueError: for an unsupported kind of positions.
    """
    rope = rope_of(config)
    if not partial and rope[PARTIAL] != 1:
        raise ValueError(f"{FILE}: {PARTIAL}={rope[PARTIAL]} is not supported, only 1")
    return RotaryEmbedding(
        base=float(rope["rope_theta"]),
        context=config["max_position_embeddings"],
        window=window or None,
        interleaved=interleaved,
        yarn=_yarn(rope) if rope["rope_type"] == "yarn" else None,
    )


def rope_of(config: Config) -> dict[str, Any]:
    """Return the settings of rotary positions, always with `rope_type` and `rope_theta`.

    Raises:
        ValueError: for an unsupported kind of positions, or yarn without its factor.
    """
    new, old = (_normal(config, config.get(key, {})) for key in ("rope_parameters", "rope_scaling"))
    rope = old if config.get("rope_scaling") else new
    if config.get("rope_scaling") and config.get("rope_parameters") and old != new:
        log.warning("%s: rope_scaling=%s differs from rope_parameters and wins", FILE, old)
    if rope["rope_type"] not in ("default", "yarn"):
        raise ValueError(
            f"{FILE}: rope_type={rope['rope_type']!r} is not supported, only default and yarn"
        )
    return rope


def turned_of(config: Config, head_width: int) -> int:
    """Return how many features of a head are rotated."""
    return int(head_width * rope_of(config)[PARTIAL])


def partial_settings(positions: RotaryEmbedding, head_width: int, turned: int) -> dict[str, Any]:
    """Return the settings in config.json of positions that rotate some features of a head."""
    share = turned / head_width
    if int(head_width * share) < turned:  # a reader would round it down
        share = (turned + 0.5) / head_width
    found = rope_settings(positions)
    for form in ("rope_parameters", "rope_scaling"):
        if found[form] is not None:
            found[form][PARTIAL] = share
    return {**found, PARTIAL: share}


def _normal(config: Config, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return one of the two forms with all that the decoder needs, older names replaced.

    Raises:
        ValueError: for positions that differ between layers, or yarn without its factor.
    """
    if any(isinstance(value, Mapping) for value in given.values()):
        raise ValueError(f"{FILE}: rope_parameters that differ between layers are not supported")
    rope = {
        "rope_theta": config.get("rope_theta", 10_000.0),
        PARTIAL: config.get(PARTIAL, 1.0),
        **given,
    }
    rope["rope_type"] = rope.pop("rope_type", None) or rope.get("type") or "default"
    rope.pop("type", None)
    if rope["rope_type"] == "yarn":
        context, name = config["max_position_embeddings"], "original_max_position_embeddings"
        rope[name] = config.get(name) or rope.get(name) or context
        if "factor" not in rope:
            raise ValueError(f"{FILE}: rope_type='yarn' needs a factor")
        rope["factor"] = rope["factor"] or context / rope[name]
    return rope


def growth(factor: float, weight: float = 1.0) -> float:
    """Return 0.1 w ln(factor) + 1, by which YaRN sharpens attention (arXiv 2309.00071, eq. 22)."""
    return 0.1 * weight * math.log(factor) + 1 if factor > 1 else 1.0


def _yarn(rope: Mapping[str, Any]) -> Yarn:
    if rope.get("truncate", True) is not True:
        raise ValueError(f"{FILE}: truncate={rope['truncate']!r} of yarn is not supported")
    factor = rope["factor"]
    sharp, everywhere = rope.get("mscale"), rope.get("mscale_all_dim")
    attention = rope.get("attention_factor")
    if attention is None:
        attention = growth(factor)
        if sharp and everywhere:
            attention = growth(factor, sharp) / growth(factor, everywhere)
    first = int(rope["original_max_position_embeddings"])
    fast, slow = rope.get("beta_fast") or 32, rope.get("beta_slow") or 1
    return Yarn(float(factor), first, float(fast), float(slow), float(attention))


def rope_settings(positions: RotaryEmbedding, **more: float) -> dict[str, Any]:
    """Return the settings of positions in config.json, in the new form and in the old one.

    Args:
        positions: those of the decoder.
        **more: further settings of yarn positions.
    """
    base, yarn = positions.base, positions.yarn
    if yarn is None:
        new = {"rope_theta": base, "rope_type": "default"}
        return {"rope_parameters": new, "rope_theta": base, "rope_scaling": None}
    new = {
        "rope_theta": base,
        "rope_type": "yarn",
        "factor": yarn.factor,
        "original_max_position_embeddings": yarn.first_context,
        "beta_fast": yarn.fast,
        "beta_slow": yarn.slow,
        "attention_factor": yarn.attention,
        **more,
    }
    return {"rope_parameters": new, "rope_theta": base, "rope_scaling": {**new, "type": "yarn"}}
