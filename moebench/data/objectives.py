"""What a model predicts from a window of text: the next token, or the spans cut out of it.

Source: span corruption: Raffel et al. 2020, T5 (arXiv 1910.10683), section 3.1.4; the number and
the lengths of spans follow the authors' code, which the paper describes only in words.
"""

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from moebench.data.contract import TextBatch
from moebench.data.tokenizer import EOS, NUM_SENTINELS, PAD, SENTINEL


class Objective(Protocol):
    """A way to turn windows of tokens into inputs and targets."""

    def width(self, length: int) -> int:
        """Return how many raw tokens make one input of `length` tokens."""
        ...

    def __call__(
        self, raw_BW: NDArray[np.int64], domain_B: NDArray[np.int64], rng: np.random.Generator
    ) -> TextBatch:
        """Return the batch of some windows; all that is random comes from `rng`."""
        ...


class NextToken:
    """Predict each token from those before it."""

    def width(self, length: int) -> int:
        """Return `length` + 1: the last input needs a target too."""
        return length + 1

    def __call__(
        self, raw_BW: NDArray[np.int64], domain_B: NDArray[np.int64], rng: np.random.Generator
    ) -> TextBatch:
        """Return the windows without their last token, and without their first as targets."""
        raw = torch.from_numpy(raw_BW)
        domain = torch.from_numpy(domain_B)
        return TextBatch(raw[:, :-1].contiguous(), raw[:, 1:].contiguous(), None, domain)


class SpanCorruption:
    """The encoder reads the window with spans cut out, the decoder predicts the spans.

    In the encoder's text one sentinel replaces each span; the target is each sentinel followed by
    its span. Both end with EOS. A window of W tokens loses round(`density` W) of them in
    round(that / `mean_span`) spans of random lengths; it starts with a token that is kept and ends
    with one that is cut. No padding is needed, since windows of one length give inputs of one
    length and targets of one length.

    Args:
        density: share of the tokens that is cut out.
        mean_span: mean length of a span, in tokens.

    Raises:
        ValueError: if a number is out of range.
    """

    def __init__(self, density: float = 0.15, mean_span: float = 3.0) -> None:
        if not 0 < density < 1:
            raise ValueError(f"objective.density={density}: must be between 0 and 1")
        if not mean_span >= 1:
            raise ValueError(f"objective.mean_span={mean_span}: must be at least 1 token")
        self.density = density
        self.mean_span = mean_span

    def width(self, length: int) -> int:
        """Return the most raw tokens whose encoder input has exactly `length` tokens.

        Raises:
            ValueError: if no window does, or it would need more sentinels than there are.
        """
        if length < 3:
            raise ValueError(f"data.length={length}: span corruption needs at least 3 tokens")
        width = 2
        while self._input_length(width + 1) <= length:
            width += 1
        cut, spans = self._counts(width)
        if not spans <= min(NUM_SENTINELS, width - cut):
            raise ValueError(
                f"data.length={length}: density {self.density} and mean_span {self.mean_span} "
                f"make {spans} spans; at most {min(NUM_SENTINELS, width - cut)} are possible"
            )
        return width

    def __call__(
        self, raw_BW: NDArray[np.int64], domain_B: NDArray[np.int64], rng: np.random.Generator
    ) -> TextBatch:
        """Return the windows with random spans cut out."""
        cut_BW = self._draw(len(raw_BW), raw_BW.shape[1], rng)
        context, target = _replace(raw_BW, cut_BW), _replace(raw_BW, ~cut_BW)
        shifted = np.pad(target[:, :-1], ((0, 0), (1, 0)), constant_values=PAD)
        return TextBatch(
            input_BL=torch.from_numpy(shifted),
            target_BL=torch.from_numpy(target),
            context_BL=torch.from_numpy(context),
            domain_B=torch.from_numpy(domain_B),
        )

    def _counts(self, width: int) -> tuple[int, int]:
        """Return how many tokens of a window are cut out, and in how many spans."""
        cut = min(max(round(width * self.density), 1), width - 1)
        return cut, max(round(cut / self.mean_span), 1)

    def _input_length(self, width: int) -> int:
        cut, spans = self._counts(width)
        return width - cut + spans + 1

    def _draw(self, rows: int, width: int, rng: np.random.Generator) -> NDArray[np.bool_]:
        """Draw which tokens to cut: kept and cut stretches alternate, kept first."""
        cut, spans = self._counts(width)
        kept_BS = _compositions(width - cut, spans, rows, rng)
        cut_BS = _compositions(cut, spans, rows, rng)
        lengths = np.stack([kept_BS, cut_BS], axis=-1).reshape(-1)
        return np.repeat(np.tile([False, True], rows * spans), lengths).reshape(rows, width)


def _compositions(total: int, parts: int, rows: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw, per row, one of the ways to write `total` as an ordered sum of positive integers."""
    places = rng.random((rows, total - 1)).argsort(axis=1)[:, : parts - 1] + 1
    edges = np.pad(np.sort(places, axis=1), ((0, 0), (1, 1)), constant_values=((0, 0), (0, total)))
    return edges[:, 1:] - edges[:, :-1]


def _replace(raw_BW: NDArray[np.int64], cut_BW: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Replace each stretch that is cut by one sentinel, and append EOS."""
    first_BW = cut_BW & ~np.pad(cut_BW[:, :-1], ((0, 0), (1, 0)))
    sentinel_BW = SENTINEL - 1 + first_BW.cumsum(axis=1)
    left = np.where(first_BW, sentinel_BW, raw_BW)[~cut_BW | first_BW]
    return np.pad(left.reshape(len(raw_BW), -1), ((0, 0), (0, 1)), constant_values=EOS)


OBJECTIVES = {"next_token": NextToken, "span_corruption": SpanCorruption}
