"""A program that goes on after a run as if there had been none."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from pytorch_lightning.utilities.seed import isolate_rng


@contextmanager
def undisturbed() -> Iterator[None]:
    """Put back what making a trainer sets for the whole process.

    These are the generators, the number of threads and whether torch insists on determinism.
    """
    threads, mode = torch.get_num_threads(), torch.get_deterministic_debug_mode()
    with isolate_rng():
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            torch.set_deterministic_debug_mode(mode)
