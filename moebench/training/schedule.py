"""The learning rate by the step."""


def inverse_square_root(step: int, warmup_steps: int) -> float:
    """Return the factor on the learning rate: a linear rise, then one over the root of the step.

    It knows no end of training, so a curve can be read at any step.

    Source: Raffel et al. 2020 (arXiv 1910.10683), section 3.1.2, with a linear rise before.
    """
    return float(min((step + 1) / warmup_steps, (warmup_steps / (step + 1)) ** 0.5))
