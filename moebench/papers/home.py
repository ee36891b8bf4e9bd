"""Where papers and their configurations are: bundled in an installed moebench, or in the checkout.

Importing this module makes `reproductions` importable by appending that folder to the path. In a
checkout, a package of this name that is found earlier replaces it.
"""

import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from pkgutil import extend_path
from types import ModuleType

_PACKAGE = Path(__file__).parents[1]
_BUNDLED = _PACKAGE / "_bundled"
INSTALLED = (_BUNDLED / "configs").is_dir()  # from a wheel, whose files must not be changed
HOME = _BUNDLED if INSTALLED else _PACKAGE.parent
PACKAGE, CONFIGS = "reproductions", "configs"

if str(HOME) not in sys.path:
    sys.path.append(str(HOME))


def join_papers() -> None:
    """Add the user's own papers, in any folder on the path, to those of an installed moebench.

    Call it again when a folder is added to the path. In a checkout the package does it by itself.
    The package is always the installed one, wherever its folder is on the path: its source is part
    of what a run is made from, and the path of a worker is in another order.
    """
    if INSTALLED:
        papers = sys.modules.get(PACKAGE) or _installed()
        papers.__path__ = extend_path(papers.__path__, PACKAGE)


def _installed() -> ModuleType:
    """Import the package of papers that came with moebench."""
    spec = PathFinder.find_spec(PACKAGE, [str(HOME)])
    assert spec is not None
    assert spec.loader is not None
    sys.modules[PACKAGE] = papers = module_from_spec(spec)
    spec.loader.exec_module(papers)
    return papers


join_papers()


def find_config(path: str) -> str:
    """Return the path of a configuration; those that come with moebench are found from any folder.

    Args:
        path: returned unchanged, unless it begins with `configs/` and does not exist here.
    """
    if not path.startswith(f"{CONFIGS}/") or Path(path).exists():
        return path
    return str(own) if (own := HOME / path).is_file() else path
