"""What identifies the data of a run: the hash of their content, and the version of their module."""

from typing import Any, NamedTuple


class DataStamp(NamedTuple):
    """Which data these are, whatever the seed, which runs record separately."""

    content_hash: str
    version: int


NO_DATA = DataStamp("", 1)  # of computed arms, which do not train


def stamp_of(data: Any) -> DataStamp:
    """Return the stamp of a data module after its setup; without a version it has version 1."""
    return DataStamp(data.content_hash, getattr(data, "version", 1))
