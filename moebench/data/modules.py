"""The data modules that any experiment may use; a paper may bring others."""

from moebench.data.synthetic import Synthetic
from moebench.data.text import Text

DATA_MODULES = {"synthetic": Synthetic, "text": Text}
