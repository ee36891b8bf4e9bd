"""Where papers and their configurations are: bundled in an installed moebench, or in the checkout.

Importing this module makes `reproductions` importable by appending that folder to the path. In a
checkout, a package of this name that is found earlier replaces it; an installed moebench adds the
user's own papers to the bundled ones.
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
if INSTALLED:
    _papers = importlib.import_module(PACKAGE)
    _papers.__path__ = extend_path(_papers.__path__, PACKAGE)


def find_config(path: str) -> str:
    """Return the path of a configuration; those that come with moebench are found from any folder.

    Args:
        path: returned unchanged, unless it begins with `configs/` and does not exist here.
    """
    if not path.startswith(f"{CONFIGS}/") or Path(path).exists():
        return path
    return str(own) if (own := HOME / path).is_file() else path
