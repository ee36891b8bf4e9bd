"""What tells the data of a run from others: the hash of their content, and their version."""

from typing import Any, NamedTuple


class DataStamp(NamedTuple):
    """Which data these are; whatever the seed, for a run counts that apart."""

    content_hash: str
    version: int


NO_DATA = DataStamp("", 1)  # of what trains on none


def stamp_of(data: Any) -> DataStamp:
    """Return the stamp of a data module whose data are prepared; without a version it has 1."""
    return DataStamp(data.content_hash, getattr(data, "version", 1))
