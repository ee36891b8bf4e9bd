"""A program that goes on after a run as if there had been none."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def undisturbed() -> Iterator[None]:
    """Put back what making a trainer sets for the whole process.

    These are the generators, the number of threads and whether torch insists on determinism.
    """
    threads, mode = torch.get_num_threads(), torch.get_deterministic_debug_mode()
    drawn, drawn_by_numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(range(torch.cuda.device_count())):
        try:
            yield
        finally:
            random.setstate(drawn)
            np.random.set_state(drawn_by_numpy)
            torch.set_num_threads(threads)
            torch.set_deterministic_debug_mode(mode)
