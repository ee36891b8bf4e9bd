"""What people do in a notebook, as functions: they return objects and print no tables.

Each does what the command of its name does, with the same files in the same folders: what one has
trained, the other finds. `import moebench` offers them; docs/python.md shows them at work.
"""

from moebench.api.comparing import Compared, compare
from moebench.api.fitting import Fitted, fit
from moebench.api.recorded import records, verdicts
from moebench.api.reproducing import Reproduced, reproduce
from moebench.api.searching import Swept, sweep

__all__ = [
    "Compared",
    "Fitted",
    "Reproduced",
    "Swept",
    "compare",
    "fit",
    "records",
    "reproduce",
    "sweep",
    "verdicts",
]
