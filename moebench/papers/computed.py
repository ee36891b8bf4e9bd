"""Functions that a plan names as text, so that reading the plan does not import them."""

import importlib
from collections.abc import Callable
from typing import Any


def import_function(reference: str) -> Callable[..., Any]:
    """Return the function called "module:function"."""
    module, _, name = reference.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function
