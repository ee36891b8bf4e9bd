"""Checkpoints whose experts are stacked, as transformers holds them in memory.

It writes them so with `save_pretrained(save_original_format=False)`: `gate_up_proj` with both
matrices of all experts, E x 2F x D, and `down_proj`, E x D x F.
"""

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import replace

from moebench.interop.weight_mapping import Piece

OF_EXPERT = re.compile(r"(.*\.experts\.)\d+\.")


def fused(
    pieces: Sequence[Piece], stored: Container[str], in_memory: Sequence[tuple[str, str]] = ()
) -> list[Piece]:
    """Return the pieces of a checkpoint under the names it has, in either form.

    Args:
        pieces: as the architecture's own files have them.
        stored: the names in the checkpoint.
        in_memory: parts of those files' names, and what stands there in memory.
    """
    if all(piece.theirs in stored for piece in pieces):
        return list(pieces)
    stacked = list(dict.fromkeys(_fused(pieces, in_memory)))
    return stacked if all(piece.theirs in stored for piece in stacked) else list(pieces)


def _fused(pieces: Sequence[Piece], in_memory: Sequence[tuple[str, str]]) -> Iterator[Piece]:
    for piece in pieces:
        name = piece.theirs
        for there, here in in_memory:
            name = name.replace(there, here)
        expert = OF_EXPERT.match(name)
        if expert is None:
            yield replace(piece, theirs=name)
        else:
            end = "gate_up_proj" if piece.ours.endswith("gate_up_EDF") else "down_proj"
            yield Piece(expert[1] + end, piece.ours, stacked=True)
