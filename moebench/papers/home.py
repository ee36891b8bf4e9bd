"""Where papers and their configurations are: bundled in an installed moebench, or in the checkout.

Importing this module makes `reproductions` importable by appending that folder to the path. In a
checkout, a package of this name that is found earlier replaces it.
"""

import importlib
import sys
from pathlib import Path
from pkgutil import extend_path

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
    """
    if INSTALLED:
        papers = importlib.import_module(PACKAGE)
        papers.__path__ = extend_path(papers.__path__, PACKAGE)


join_papers()


def find_config(path: str) -> str:
    """Return the path of a configuration; those that come with moebench are found from any folder.

    Args:
        path: returned unchanged, unless it begins with `configs/` and does not exist here.
    """
    if not path.startswith(f"{CONFIGS}/") or Path(path).exists():
        return path
    return str(own) if (own := HOME / path).is_file() else path
