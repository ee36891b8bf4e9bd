"""Constant multipliers of a decoder's activations, which keep their scale the same at any width.

Source: Yang et al. 2022, Tensor Programs V (arXiv 2203.03466), for the idea; the multipliers here
are those of IBM's released Granite models.
"""

import math
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Multipliers:
    """Multipliers of a decoder, besides that of its attention scores.

    Raises:
        ValueError: if one is not above 0 and finite.
    """

    embedding: float = 1.0  # of the embedded tokens
    residual: float = 1.0  # of what each block adds to the residual stream
    logits: float = 1.0  # divides the logits

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 < value < math.inf:
                raise ValueError(f"multipliers.{field.name}={value}: must be above 0 and finite")


NO_MULTIPLIERS = Multipliers()
