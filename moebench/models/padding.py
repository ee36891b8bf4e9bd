"""Padding: tokens that only make the rows of a batch equally long, and must change nothing.

Real tokens are numbered from 0, attention does not see padded ones, and mixtures leave them out.
What a model says at a padded place means nothing.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


def mask_of(batch: object, ids: str = "input_BL", mask: str = "mask_BL") -> Tensor | None:
    """Return which tokens of a batch are real, bool of the shape of its ids; None: all are.

    Args:
        batch: one that has no such mask, or None in its place, has no padding.
        ids: the batch's name of the tokens.
        mask: its name of their mask.

    Raises:
        ValueError: if the mask is of another shape or type.
    """
    mask_BL: Tensor | None = getattr(batch, mask, None)
    check_mask(mask_BL, getattr(batch, ids).shape, mask)
    return mask_BL


def check_mask(mask: Tensor | None, shape: torch.Size | tuple[int, ...], name: str) -> None:
    """Raise ValueError unless a mask, if there is one, is bool and of the shape of the tokens."""
    if mask is None:
        return
    if mask.shape != shape:
        found, wanted = tuple(mask.shape), tuple(shape)
        raise ValueError(f"{name}: has the shape {found}; the tokens have {wanted}, and so must it")
    if mask.dtype != torch.bool:
        raise ValueError(f"{name}: is {mask.dtype}; must be torch.bool, True for real tokens")


@dataclass(frozen=True)
class Padding:
    """The real tokens of each row at its front, in their order, padding behind them.

    So no token of a model that reads from left to right comes after padding, wherever it stood.

    Args:
        order_BL: the place each token comes from; None: all tokens are real and stay.
        mask_BL: bool, which are real after the move; None: all are.
    """

    order_BL: Tensor | None = None
    mask_BL: Tensor | None = None

    @classmethod
    def of(cls, mask_BL: Tensor | None) -> "Padding":
        """Return the padding that a mask tells of."""
        if mask_BL is None:
            return cls()
        order_BL = (~mask_BL).to(torch.uint8).argsort(dim=1, stable=True)
        return cls(order_BL, mask_BL.gather(1, order_BL))

    def forth(self, ids_BL: Tensor) -> Tensor:
        """Return ids with the real ones at the front."""
        return ids_BL if self.order_BL is None else ids_BL.gather(1, self.order_BL)

    def back(self, x_BLD: Tensor) -> Tensor:
        """Return tokens where they stood before."""
        if self.order_BL is None:
            return x_BLD
        place_BL = self.order_BL.argsort(dim=1)
        return x_BLD.gather(1, place_BL[..., None].expand_as(x_BLD))


def hide(mask_BS: Tensor, bias: Tensor) -> Tensor:
    """Return bias_BHLS, minus infinity where a key is padded.

    A row without any real key hides none: a softmax over nothing is not a number.

    Args:
        mask_BS: which keys are real.
        bias: of scores, broadcast to BHLS.
    """
    seen_BS = mask_BS | ~mask_BS.any(dim=1, keepdim=True)
    return bias.masked_fill(~seen_BS[:, None, None], -torch.inf)
