"""What is a size that no machine has room for, and what only sounds like one."""

import pytest
import torch

from moebench.experiment import ConfigurationError
from moebench.run.too_large import naming_sizes


@pytest.mark.parametrize("size", [(2**62,), (2**40, 2**40)])
def test_what_torch_says_of_a_size_is_told_as_one(size: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="too large for this machine"), naming_sizes():
        torch.empty(size)


def test_a_part_for_overflow_that_raises_is_no_size() -> None:
    told = "model.network.init_args.sparse.overflow=mine.Mine: KeyError: 'x' (mine.py:3)"
    with pytest.raises(ConfigurationError) as refusal, naming_sizes():
        raise ConfigurationError(told)
    assert str(refusal.value) == told
