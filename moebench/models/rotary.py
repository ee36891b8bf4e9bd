"""Rotary position embedding, with a causal mask and an optional sliding window.

Source: Su et al. 2021, RoFormer (arXiv 2104.09864), section 3.2.2; sliding window: Beltagy et al.
2020, Longformer (arXiv 2004.05150), section 3.1, as in Jiang et al. 2023, Mistral 7B
(arXiv 2310.06825), section 2; context extension: Peng et al. 2023, YaRN (arXiv 2309.00071),
section 3.

Shape suffixes: R rotated features of a head, an even number, P = R / 2 pairs of them, S tokens,
those of earlier calls included.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Yarn:
    """Frequencies scaled for a context longer than the original one.

    A pair of features that turns more than `fast` times within the original context keeps its
    frequency; that of one that turns less than `slow` times is divided by `factor`; those in
    between are interpolated. Cosines and sines are multiplied by `attention`.
    """

    factor: float
    first_context: int  # the original one, in tokens
    fast: float = 32.0  # turns
    slow: float = 1.0  # turns
    attention: float = 1.0

    def __call__(self, frequency_P: Tensor, base: float) -> Tensor:
        """Return the scaled frequencies, in radians per token."""
        pairs = frequency_P.numel()

        def pair_of(turns: float) -> float:
            """Return the pair, as a fraction, that turns so often within the original context."""
            length = self.first_context / (turns * 2 * math.pi)
            return pairs * math.log(length) / math.log(base)

        low = max(0, math.floor(pair_of(self.fast)))
        high = min(2 * pairs - 1, math.ceil(pair_of(self.slow)))
        place_P = torch.arange(pairs, dtype=frequency_P.dtype, device=frequency_P.device)
        # As in YaRN's code, high may be below low, where the context is very short or very long.
        slow_P = ((place_P - low) / ((high - low) or 0.001)).clamp(0, 1)
        return frequency_P * (1 - slow_P) + frequency_P / self.factor * slow_P


@dataclass(frozen=True)
class Rotation:
    """Rotation by position, and causal mask, of the tokens of one call; all layers share it.

    With padding each row has its own positions, and the tensors have leading axes B and 1.
    """

    cos_LR: Tensor
    sin_LR: Tensor  # with a minus sign in the first half of R
    interleaved: bool
    seen_LS: Tensor | None  # bool: keys that a query sees; None: all up to its own
    window: int | None

    def rotate(self, x_BHLR: Tensor) -> Tensor:
        """Return queries or keys rotated by the angles of their positions.

        Features beyond the first R stay unchanged. Interleaved pairs come out in two halves; this
        reorders queries and keys alike, so their products are the same.
        """
        width = self.cos_LR.shape[-1]
        if x_BHLR.shape[-1] > width:
            first_BHLR, rest_BHLR = x_BHLR[..., :width], x_BHLR[..., width:]
            return torch.cat([self.rotate(first_BHLR), rest_BHLR], dim=-1)
        if self.interleaved:
            x_BHLR = x_BHLR.unflatten(-1, (-1, 2)).transpose(-1, -2).flatten(-2)
        other_BHLR = x_BHLR.roll(x_BHLR.shape[-1] // 2, dims=-1)
        return x_BHLR * self.cos_LR + other_BHLR * self.sin_LR


@dataclass(frozen=True)
class RotaryEmbedding:
    """Settings of rotary positions, and how far a token sees.

    Raises:
        ValueError: if a number is out of range.
    """

    base: float = 10_000.0  # of the frequencies: base ** (-2 i / R) radians per token
    context: int = 4096  # the longest sequence, in tokens
    window: int | None = None  # a token sees itself and window - 1 before it; None: all before
    interleaved: bool = False  # whether a pair's two features are neighbours, or R / 2 apart
    yarn: Yarn | None = None

    def __post_init__(self) -> None:
        if not self.base > 0:
            raise ValueError(f"positions.base={self.base}: must be above 0")
        for name in ("context", "window"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"positions.{name}={value}: must be at least 1")

    def rotation(
        self, start: int, length: int, width: int, like: Tensor, mask_BS: Tensor | None = None
    ) -> Rotation:
        """Return the rotation and mask of L = `length` tokens after `start` earlier ones.

        Args:
            start: number of earlier tokens.
            length: number of tokens.
            width: features R of a head to rotate.
            like: gives dtype and device of cosines and sines.
            mask_BS: which tokens are real, earlier ones first; positions count those. None if all
                are.
        """
        even_P = torch.arange(0, width, 2, device=like.device, dtype=torch.float32)
        frequency_P, size = self.base ** (-even_P / width), 1.0
        if self.yarn is not None:
            frequency_P, size = self.yarn(frequency_P, self.base), self.yarn.attention
        if mask_BS is None:
            token_L = torch.arange(start, start + length, device=like.device)
            seen_LS = self._seen(token_L, start)
        else:
            token_BS = mask_BS.cumsum(dim=1) - 1
            seen_LS = self._seen_of_real(token_BS, mask_BS, start)
            token_L = token_BS[:, None, start:]
        angle_LP = token_L[..., None] * frequency_P
        cos_LP, sin_LP = angle_LP.cos() * size, angle_LP.sin() * size
        return Rotation(
            torch.cat([cos_LP, cos_LP], dim=-1).to(like.dtype),
            torch.cat([-sin_LP, sin_LP], dim=-1).to(like.dtype),
            self.interleaved,
            seen_LS,
            self.window,
        )

    def _seen(self, token_L: Tensor, start: int) -> Tensor | None:
        """Return which of the S keys each query sees, None where no mask is needed.

        None is needed for a single token, which sees all cached ones, nor for a text from its start
        that fits the window.
        """
        length = token_L.numel()
        short = self.window is None or start + length <= self.window
        if length == 1 or (start == 0 and short):
            return None
        distance_LS = token_L[:, None] - torch.arange(start + length, device=token_L.device)
        return self._near(distance_LS)

    def _seen_of_real(self, token_BS: Tensor, mask_BS: Tensor, start: int) -> Tensor:
        """Return seen_B1LS: real tokens up to each token, and the token itself.

        A padded token sees itself because a softmax over no keys is NaN.
        """
        length = token_BS.shape[1]
        itself_SS = torch.eye(length, dtype=torch.bool, device=token_BS.device)
        distance_BLS = token_BS[:, start:, None] - token_BS[:, None]
        seen_BLS = self._near(distance_BLS) & mask_BS[:, None] | itself_SS[start:]
        return seen_BLS[:, None]

    def _near(self, distance: Tensor) -> Tensor:
        """Return which keys are neither after the query nor, with a window, too far before it."""
        near = distance >= 0
        return near if self.window is None else near & (distance < self.window)
