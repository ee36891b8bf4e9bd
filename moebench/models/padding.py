"""Padding: tokens that make the rows of a batch equally long and must not affect the real ones.

Positions count real tokens only, attention does not see padding, and mixtures skip it. What a model
predicts at padding is meaningless.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


def mask_of(batch: object, ids: str = "input_BL", mask: str = "mask_BL") -> Tensor | None:
    """Return which tokens of a batch are real, bool of the shape of its ids; None: all are.

    Args:
        batch: has no padding if the mask is missing or None.
        ids: name of the batch's field of tokens.
        mask: name of the field of their mask.

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
        raise ValueError(f"{name}: has the shape {found}; must have that of the tokens, {wanted}")
    if mask.dtype != torch.bool:
        raise ValueError(f"{name}: is {mask.dtype}; must be torch.bool, True for real tokens")


@dataclass(frozen=True)
class Padding:
    """Moves the real tokens of each row to its left, in their order, and padding to the right.

    In a model that reads from left to right no real token then comes after padding.

    Args:
        order_BL: where each token comes from; None: all tokens are real and stay.
        mask_BL: bool, which tokens are real after the move; None if all are.
    """

    order_BL: Tensor | None = None
    mask_BL: Tensor | None = None

    @classmethod
    def of(cls, mask_BL: Tensor | None) -> "Padding":
        """Return the padding that a mask describes."""
        if mask_BL is None:
            return cls()
        order_BL = (~mask_BL).to(torch.uint8).argsort(dim=1, stable=True)
        return cls(order_BL, mask_BL.gather(1, order_BL))

    def left_align(self, ids_BL: Tensor) -> Tensor:
        """Return ids with the real ones on the left."""
        return ids_BL if self.order_BL is None else ids_BL.gather(1, self.order_BL)

    def restore(self, x_BLD: Tensor) -> Tensor:
        """Return tokens in their original places."""
        if self.order_BL is None:
            return x_BLD
        place_BL = self.order_BL.argsort(dim=1)
        return x_BLD.gather(1, place_BL[..., None].expand_as(x_BLD))


def mask_keys(mask_BS: Tensor, bias: Tensor) -> Tensor:
    """Return bias_BHLS, minus infinity where a key is padding.

    Rows without a real key are left alone: a softmax over no keys is NaN.

    Args:
        mask_BS: which keys are real.
        bias: the bias of scores, broadcast to BHLS.
    """
    seen_BS = mask_BS | ~mask_BS.any(dim=1, keepdim=True)
    return bias.masked_fill(~seen_BS[:, None, None], -torch.inf)
