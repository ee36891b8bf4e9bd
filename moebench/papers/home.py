"""Where papers and their configurations are: inside an installed moebench, or beside a checkout's.

Importing this module makes `reproductions` importable from there. The place goes to the end of the
path: in a checkout, a package of that name that comes before it is taken instead.
"""

import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from pkgutil import extend_path
from types import ModuleType

_PACKAGE = Path(__file__).parents[1]
_BUNDLED = _PACKAGE / "_bundled"
INSTALLED = (_BUNDLED / "configs").is_dir()  # from a wheel: nothing there may be written
HOME = _BUNDLED if INSTALLED else _PACKAGE.parent
PACKAGE, CONFIGS = "reproductions", "configs"

if str(HOME) not in sys.path:
    sys.path.append(str(HOME))


def join_papers() -> None:
    """Join the papers of one's own, in any folder on the path, to those of an installed moebench.

    To be called again when a folder is added to the path. In a checkout the package does it itself.
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


def at_home(path: str) -> str:
    """Return where a configuration is that comes with moebench, whichever folder one is in.

    Args:
        path: returned as it is, unless it begins with `configs/` and is not there.
    """
    if not path.startswith(f"{CONFIGS}/") or Path(path).exists():
        return path
    return str(own) if (own := HOME / path).is_file() else path
