"""Arms computed by a function: arithmetic, and experiments other than training one network."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from moebench.experiment.code import code_of_modules, source_of_modules
from moebench.experiment.stamp import NO_DATA, DataStamp
from moebench.papers.computed import import_function


@dataclass(frozen=True)
class Function:
    """A function in place of an experiment.

    Args:
        reference: "module:function". It takes nothing and returns a map of metrics, or a map from
            seed to such a map.
    """

    reference: str

    @property
    def hash(self) -> str:
        """What identifies it."""
        return self.reference

    @property
    def data(self) -> DataStamp:
        """None: a function reads no data."""
        return NO_DATA

    @property
    def known_data(self) -> DataStamp:
        """None: a function reads no data."""
        return NO_DATA

    @cached_property
    def code(self) -> Mapping[str, str]:
        """Its module and what that imports, as for an experiment."""
        return self.code_now()

    def code_now(self) -> Mapping[str, str]:
        """Read the source files again."""
        return code_of_modules([self.reference.partition(":")[0]])

    @cached_property
    def source(self) -> str:
        """Digest of the code of moebench and of papers that it runs."""
        return source_of_modules(frozenset({self.reference.partition(":")[0]}))

    @property
    def config(self) -> Mapping[str, Any]:
        """All there is to configure."""
        return {"function": self.reference}

    def to_yaml(self) -> str:
        """Return the configuration as text."""
        return f"function: {self.reference}\n"

    def __call__(self) -> Mapping[int, Mapping[str, float]]:
        """Call it and return seed -> metrics; the seed is 0 where it has none."""
        found = import_function(self.reference)()
        return found if all(isinstance(key, int) for key in found) else {0: found}
