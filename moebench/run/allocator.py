"""How a training process reuses the memory that it frees."""

import ctypes

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # of mallopt(3), in malloc.h


def keep_freed_memory() -> bool:
    """Ask the C library to keep freed memory for the next allocation; return whether it will.

    A step frees its activations and gradients and asks for the same again. By default large blocks
    go back to the system in between, which hands out every page anew and fills it with zeros: with
    the gradients of many experts that is gigabytes a step. Only glibc can be asked; elsewhere
    nothing changes.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # no such function; no such library, on Windows
        return False
    # No mapping of its own for a block of any size, and a heap that never shrinks.
    return bool(mallopt(_MMAP_MAX, 0) and mallopt(_TRIM_THRESHOLD, -1))
