"""What a study depends on besides its file: data, code outside moebench, moebench itself."""

from collections.abc import Iterable
from typing import Any

from moebench import __version__
from moebench.experiment import DataStamp, Experiment


def surroundings(data: DataStamp | None, experiments: Iterable[Experiment]) -> dict[str, Any]:
    """Return it as JSON; what there is none of has no key, nor has a first version of data.

    Args:
        data: stamp of the data of the base, None where they have not been read.
        experiments: the base, and those that name further classes.
    """
    found: dict[str, Any] = {"moebench": __version__}
    if data is not None:
        found["data"] = data.content_hash
        if data.version != 1:
            found["data_version"] = data.version
    code = {name: digest for one in experiments for name, digest in one.code.items()}
    return {**found, **({"code": code} if code else {})}


def completed(earlier: dict[str, Any]) -> dict[str, Any]:
    """Return the identity of a study; one that does not name its moebench counts as of this one."""
    return {"moebench": __version__, **earlier}
