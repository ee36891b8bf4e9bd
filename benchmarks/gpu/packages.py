"""Which packages are installed, required and optional ones."""

from collections.abc import Iterable
from importlib.util import find_spec

NEEDED = {  # name to install -> name to import
    "torch": "torch",
    "pytorch-lightning": "pytorch_lightning",
    "numpy": "numpy",
    "scipy": "scipy",
    "jsonargparse": "jsonargparse",
    "docstring-parser": "docstring_parser",
    "typeshed-client": "typeshed_client",
    "pyyaml": "yaml",
    "tokenizers": "tokenizers",
    "tqdm": "tqdm",
    "safetensors": "safetensors",
}


def lacking() -> list[str]:
    """Return the required packages that are not installed."""
    gone = absent(NEEDED.values())
    return [name for name, module in NEEDED.items() if module in gone]


def absent(modules: Iterable[str]) -> list[str]:
    """Return the modules that are not installed."""
    return [module for module in modules if not _found(module)]


def _found(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
