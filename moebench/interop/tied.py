"""Checkpoints whose settings and weights disagree on whether the embedding is tied."""

import logging
from collections.abc import Mapping
from pathlib import Path

from moebench.interop.config import FILE, Config
from moebench.interop.tensors import Stored, equal

EMBEDDING, HEAD = "model.embed_tokens.weight", "lm_head.weight"
log = logging.getLogger(__name__)


def settle(
    folder: Path, config: Config, stored: Mapping[str, Stored]
) -> tuple[Config, dict[str, Stored]]:
    """Return configuration and weights that agree on whether the embedding is tied.

    As in transformers: if two weights that should be tied differ, both are kept; if one of them is
    missing, the other serves as both.
    """
    found = dict(stored)
    if not config.get("tie_word_embeddings", False) or HEAD not in found:
        return config, found
    if EMBEDDING not in found:
        found[EMBEDDING] = found[HEAD]
    if equal(found[EMBEDDING], found[HEAD]):
        del found[HEAD]
        return config, found
    log.warning(
        "%s: tie_word_embeddings=true, but %s differs from %s; both are kept, untied",
        folder / FILE,
        HEAD,
        EMBEDDING,
    )
    return config.replaced(tie_word_embeddings=False), found
