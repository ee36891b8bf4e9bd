"""Where papers and their configurations are: inside an installed moebench, or beside a checkout's.

Importing this module makes `reproductions` importable from there. The place goes to the end of the
path: in a checkout, a package of that name that comes before it is taken instead. An installed
moebench has papers of one's own beside those that came with it.
"""

import importlib
import sys
from pathlib import Path
from pkgutil import extend_path

_PACKAGE = Path(__file__).parents[1]
_BUNDLED = _PACKAGE / "_bundled"
INSTALLED = (_BUNDLED / "configs").is_dir()  # from a wheel: nothing there may be written
HOME = _BUNDLED if INSTALLED else _PACKAGE.parent
PACKAGE, CONFIGS = "reproductions", "configs"

if str(HOME) not in sys.path:
    sys.path.append(str(HOME))
if INSTALLED:
    _papers = importlib.import_module(PACKAGE)
    _papers.__path__ = extend_path(_papers.__path__, PACKAGE)


def at_home(path: str) -> str:
    """Return where a configuration is that comes with moebench, whichever folder one is in.

    Args:
        path: returned as it is, unless it begins with `configs/` and is not there.
    """
    if not path.startswith(f"{CONFIGS}/") or Path(path).exists():
        return path
    return str(own) if (own := HOME / path).is_file() else path
