"""Places in a queue: how many rows of the same queue come before each row."""

import torch
from torch import Tensor


def place_in_queue(queue_A: Tensor, waiting_A: Tensor, order_A: Tensor | None = None) -> Tensor:
    """Return how many waiting rows of its own queue stand before each row, int64.

    Args:
        queue_A: number of the queue each row stands in, at least zero.
        waiting_A: bool; rows that are not waiting are not counted and get a meaningless place.
        order_A: row numbers in the order of arrival; None: the order of the rows.
    """
    if order_A is not None:
        place_A = torch.empty_like(queue_A)
        place_A[order_A] = place_in_queue(queue_A[order_A], waiting_A[order_A])
        return place_A
    # Rows that are not waiting go to the back, behind the last queue.
    sorted_A, row_A = queue_A.masked_fill(~waiting_A, torch.iinfo(queue_A.dtype).max).sort(
        stable=True
    )
    number_A = torch.arange(queue_A.numel(), device=queue_A.device)
    starts_A = torch.ones_like(waiting_A)
    starts_A[1:] = sorted_A[1:] != sorted_A[:-1]
    first_A = torch.where(starts_A, number_A, 0).cummax(dim=0).values
    place_A = torch.empty_like(queue_A)
    place_A[row_A] = number_A - first_A
    return place_A
