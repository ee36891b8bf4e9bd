"""Constant factors on what flows through a decoder, which keep it alike at every width.

Source: Yang et al. 2022, Tensor Programs V (arXiv 2203.03466), for what they are good for; these
are the ones of IBM's released Granite models.
"""

import math
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Multipliers:
    """Factors of a decoder, beside that on the scores of its attention.

    Raises:
        ValueError: if one is not above 0 and finite.
    """

    embedding: float = 1.0  # on the tokens that enter
    residual: float = 1.0  # on what each block adds to them
    logits: float = 1.0  # by which the logits are divided

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 < value < math.inf:
                raise ValueError(f"multipliers.{field.name}={value}: must be above 0 and finite")


NO_MULTIPLIERS = Multipliers()
