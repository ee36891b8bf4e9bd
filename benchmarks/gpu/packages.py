"""Which packages are there: those that are needed, and those that are done without."""

from collections.abc import Iterable
from importlib.util import find_spec

NEEDED = {  # as it is installed -> as it is imported
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
    """Return the needed packages that are not installed."""
    gone = absent(NEEDED.values())
    return [name for name, module in NEEDED.items() if module in gone]


def absent(modules: Iterable[str]) -> list[str]:
    """Return the modules that cannot be imported, for nobody has installed them."""
    return [module for module in modules if not _found(module)]


def _found(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
