"""Modules of the folder that a command is given in."""

import os
import sys

from moebench.papers.home import join_papers


def find_modules_here() -> None:
    """Let Python find the modules of the current folder, after all that is installed.

    It does so by itself for `python -m`, but not for an installed command. Worker processes get the
    path of the process that starts them.

    Raises:
        ValueError: if somebody has removed that folder.
    """
    try:
        here = os.getcwd()
    except FileNotFoundError:
        raise ValueError("the current folder has been removed; go to another one") from None
    if {here, ""}.isdisjoint(sys.path):
        sys.path.append(here)
        join_papers()
