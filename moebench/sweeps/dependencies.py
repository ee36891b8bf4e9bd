"""What a study depends on besides its file: data, code outside moebench, and moebench itself."""

from collections.abc import Iterable
from typing import Any

from moebench import __version__
from moebench.experiment import DataStamp, Experiment


def dependencies(data: DataStamp | None, experiments: Iterable[Experiment]) -> dict[str, Any]:
    """Return it as plain JSON data; parts without content have no key, nor has data version 1.

    Args:
        data: stamp of the base experiment's data; None if they have not been read.
        experiments: the base, and those that name further classes.
    """
    found: dict[str, Any] = {"moebench": __version__}
    if data is not None:
        found["data"] = data.content_hash
        if data.version != 1:
            found["data_version"] = data.version
    code = {name: digest for one in experiments for name, digest in one.code.items()}
    return {**found, **({"code": code} if code else {})}


def with_version(earlier: dict[str, Any]) -> dict[str, Any]:
    """Return the identity of a study; without a version of moebench, the present one is assumed."""
    return {"moebench": __version__, **earlier}
