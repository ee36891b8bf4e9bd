"""The squared coefficient of variation, a measure of how uneven some amounts are.

Source: Shazeer et al. 2017 (arXiv 1701.06538), section 4, equation 7.
"""

import torch
from torch import Tensor


def squared_variation(amount_E: Tensor) -> Tensor:
    """Return variance over squared mean: zero for equal amounts, E - 1 where one has all."""
    tiny = torch.finfo(amount_E.dtype).tiny  # amounts that are all zero count as equal
    return amount_E.var(correction=0) / amount_E.mean().square().clamp_min(tiny)
