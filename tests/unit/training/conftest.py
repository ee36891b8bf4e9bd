"""What tests of training share: a batch of two sequences."""

from types import SimpleNamespace

import pytest
import torch

from .fakes import V


@pytest.fixture
def batch() -> SimpleNamespace:
    ids_BL = torch.arange(12).view(2, 6) % V
    return SimpleNamespace(input_BL=ids_BL, target_BL=ids_BL.roll(1, 0), context_BL=None)
