"""The learning-rate schedule."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


def learning_rates(
    optimizer: Optimizer,
    rates: Sequence[float],
    warmup_steps: int,
    cooldown_steps: int,
    steps: float,
) -> LambdaLR:
    """Return the schedule of an optimiser: warm-up, decay, and at the end a cooldown, if any.

    Args:
        optimizer: has the learning rate at its peak.
        rates: a factor on it for every group of parameters.
        warmup_steps: steps until the peak.
        cooldown_steps: last steps, over which the rate falls to zero; 0: none.
        steps: steps of the whole training; may be infinite.
    """

    def of_group(rate: float) -> Callable[[int], float]:
        return lambda step: (
            rate * inverse_square_root(step, warmup_steps) * cooldown(step, cooldown_steps, steps)
        )

    return LambdaLR(optimizer, [of_group(rate) for rate in rates])


def inverse_square_root(step: int, warmup_steps: int) -> float:
    """Return the factor on the learning rate: linear warm-up, then one over the root of the step.

    It does not depend on when training ends, so a learning curve can be read at any step.

    Source: Raffel et al. 2020 (arXiv 1910.10683), section 3.1.2, with a linear warm-up.
    """
    return float(min((step + 1) / warmup_steps, (warmup_steps / (step + 1)) ** 0.5))


def cooldown(step: int, cooldown_steps: int, steps: float) -> float:
    """Return the factor of a cooldown: one, and in the last steps linearly down to nearly zero.

    Before it begins, the learning curve is that of a run without one.

    Source: Hägele et al. 2024 (arXiv 2405.18392), section 3.

    Args:
        step: number of the step, from 0.
        cooldown_steps: how many steps it takes; 0: none.
        steps: steps of the whole training; may be infinite.
    """
    return min(1.0, (steps - step) / cooldown_steps) if cooldown_steps else 1.0


def steps_of(trainer: Any) -> int:
    """Return how many optimiser steps the training of a trainer takes.

    Raises:
        ValueError: if nobody knows, so that no cooldown can end with it.
    """
    steps = trainer.estimated_stepping_batches
    if not 0 < steps < math.inf:
        raise ValueError("cooldown_steps: training has no known end; set trainer.max_steps")
    return int(steps)
