"""Combining: the weighted sum of the experts' answers, back in the order of the tokens."""

from torch import Tensor


def combine(y_RD: Tensor, weight_R: Tensor, token_R: Tensor, like_TD: Tensor) -> Tensor:
    """Return y_TD = sum of weight x answer over the rows of each token, zero where it has none.

    Args:
        y_RD: the experts' answers.
        weight_R: weight of each answer, float32; products are summed in the dtype of `like_TD`.
        token_R: token of each answer.
        like_TD: the layer's input; gives shape, dtype and device of the result.
    """
    weighted_RD = (y_RD * weight_R[:, None]).to(like_TD.dtype)
    return like_TD.new_zeros(like_TD.shape).index_add(0, token_R, weighted_RD)
