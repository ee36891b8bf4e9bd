"""Checkpoints whose experts are stacked, as transformers holds them in memory.

It writes them so with `save_pretrained(save_original_format=False)`: `gate_up_proj` with both
matrices of all experts, E x 2F x D, and `down_proj`, E x D x F.
"""

import re
from collections.abc import Container, Iterator, Sequence

from moebench.interop.pieces import Piece

OF_EXPERT = re.compile(r"(.*\.experts\.)\d+\.")
MIXTURES = ("block_sparse_moe.", "mlp.")  # Mixtral's own name of the part, and that in memory


def fused(pieces: Sequence[Piece], stored: Container[str]) -> list[Piece]:
    """Return the pieces of a checkpoint under the names it has, in either form."""
    if all(piece.theirs in stored for piece in pieces):
        return list(pieces)
    stacked = list(dict.fromkeys(_fused(pieces)))
    return stacked if all(piece.theirs in stored for piece in stacked) else list(pieces)


def _fused(pieces: Sequence[Piece]) -> Iterator[Piece]:
    for piece in pieces:
        expert = OF_EXPERT.match(piece.theirs)
        name = piece.theirs
        if expert is not None:
            end = "gate_up_proj" if piece.ours.endswith("gate_up_EDF") else "down_proj"
            yield Piece(expert[1].replace(*MIXTURES) + end, piece.ours, stacked=True)
        else:
            yield Piece(name.replace(*MIXTURES), piece.ours, piece.expert, piece.rows)
