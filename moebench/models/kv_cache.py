"""Keys and values of tokens read before, so that each token is read once.

Source: Shazeer 2019, Fast transformer decoding (arXiv 1911.02150), section 2.4.
"""

import torch
from torch import Tensor


class KVCache:
    """What one attention layer keeps of the tokens it has read, in room set aside once.

    Args:
        room: tokens it can hold.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self.length = 0
        self._kept: tuple[Tensor, Tensor] | None = None

    def extend(self, key_BHLR: Tensor, value_BHLR: Tensor) -> tuple[Tensor, Tensor]:
        """Add keys and values of some tokens; return those of all tokens so far.

        Raises:
            ValueError: if there is no room for them.
        """
        start, end = self.length, self.length + key_BHLR.shape[2]
        if end > self.room:
            raise ValueError(f"cache: {end} tokens do not fit the room for {self.room}")
        if self._kept is None:
            self._kept = (_room(key_BHLR, self.room), _room(value_BHLR, self.room))
        for kept, new in zip(self._kept, (key_BHLR, value_BHLR), strict=True):
            kept[:, :, start:end] = new
        self.length = end
        keys, values = self._kept
        return keys[:, :, :end], values[:, :, :end]


def _room(like_BHLR: Tensor, room: int) -> Tensor:
    """Return uninitialised room for so many tokens."""
    batch, heads, _, width = like_BHLR.shape
    return torch.empty((batch, heads, room, width), dtype=like_BHLR.dtype, device=like_BHLR.device)
