"""The learning-rate schedule."""


def inverse_square_root(step: int, warmup_steps: int) -> float:
    """Return the factor on the learning rate: linear warm-up, then one over the root of the step.

    It does not depend on when training ends, so a learning curve can be read at any step.

    Source: Raffel et al. 2020 (arXiv 1910.10683), section 3.1.2, with a linear warm-up.
    """
    return float(min((step + 1) / warmup_steps, (warmup_steps / (step + 1)) ** 0.5))
