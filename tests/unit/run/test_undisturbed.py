"""A program that trains from Python goes on as if it had not."""

import random

import numpy as np
import pytest
import torch
from pytorch_lightning import seed_everything

from moebench.run.undisturbed import undisturbed


def draws() -> list[float]:
    return [random.random(), float(np.random.rand()), float(torch.rand(()))]


@pytest.mark.parametrize("error", [None, ValueError])
def test_everything_is_put_back(error: type[Exception] | None) -> None:
    """Whether or not the run was refused."""
    seed_everything(3, verbose=False)
    expected = draws()
    seed_everything(3, verbose=False)
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    try:
        with undisturbed():
            seed_everything(4, verbose=False)
            torch.use_deterministic_algorithms(not strict)
            torch.set_num_threads(threads + 1)
            if error:
                raise error
    except ValueError:
        pass
    assert draws() == expected
    assert torch.are_deterministic_algorithms_enabled() is strict
    assert torch.get_num_threads() == threads
