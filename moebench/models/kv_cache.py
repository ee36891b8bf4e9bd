"""Keys and values of earlier tokens, so that each token is read once.

Source: Shazeer 2019, Fast transformer decoding (arXiv 1911.02150), section 2.4.
"""

from torch import Tensor


class KVCache:
    """The keys and values of one attention layer, in memory that is allocated once.

    Args:
        max_length: number of tokens it can hold.
    """

    def __init__(self, max_length: int) -> None:
        self.max_length = max_length
        self.length = 0
        self._kept: tuple[Tensor, Tensor] | None = None

    def extend(self, key_BHLR: Tensor, value_BHLR: Tensor) -> tuple[Tensor, Tensor]:
        """Add keys and values of some tokens; return those of all tokens so far.

        Raises:
            ValueError: if they do not fit.
        """
        start, end = self.length, self.length + key_BHLR.shape[2]
        if end > self.max_length:
            raise ValueError(f"cache: {end} tokens do not fit, it holds {self.max_length} at most")
        if self._kept is None:
            self._kept = self._allocate(key_BHLR), self._allocate(value_BHLR)
        for kept, new in zip(self._kept, (key_BHLR, value_BHLR), strict=True):
            kept[:, :, start:end] = new
        self.length = end
        keys, values = self._kept
        return keys[:, :, :end], values[:, :, :end]

    def _allocate(self, like_BHLR: Tensor) -> Tensor:
        """Return uninitialised memory for all tokens that the cache can hold."""
        batch, heads, _, width = like_BHLR.shape
        return like_BHLR.new_empty((batch, heads, self.max_length, width))
