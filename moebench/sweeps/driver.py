"""Who drives a study, for others who share its database and not its folder."""

import shlex
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moebench.run.sole_user import own_name, sole_user
from moebench.sweeps.storage import JOURNAL
from moebench.sweeps.study import Study
from moebench.tracking.server import shown

DRIVER = "moebench.driver"
OF_JOURNAL = ("--storage-class", "JournalFileBackend")  # how Optuna's commands are told


def refuse_driven(attributes: Mapping[str, Any], name: str, folder: Path, url: str) -> None:
    """Refuse a study that another process drives, or may drive.

    The lock of the driver's folder tells whether it lives; that of another machine cannot be asked.

    Args:
        attributes: of the study.
        name: of the study.
        folder: of this process.
        url: of the database; empty for the journal in the folder.

    Raises:
        ValueError: naming the driver.
    """
    noted = attributes.get(DRIVER) or {}
    if noted and noted["host"] != socket.gethostname():
        words = ["--study-name", name, "--key", DRIVER, "--value", "", "--storage"]
        words += [shown(url)] if url else [str(folder / JOURNAL), *OF_JOURNAL]
        raise ValueError(
            f"study {name}: driven by {noted['name']}; if that is gone for good,"
            f" `optuna study set-user-attr {shlex.join(words)}` frees it"
        )
    other = Path(noted.get("folder", folder))
    if other != folder.absolute() and other.is_dir():
        with sole_user(other):  # refused if it lives
            pass


@contextmanager
def driven(study: Study, url: str = "") -> Iterator[None]:
    """Note in a study that this process drives it, as long as it does.

    Args:
        study: the study.
        url: of its database; empty for the journal in its folder.

    Raises:
        ValueError: if another process drives it, or may do so; names it.
    """
    refuse_driven(study.attributes, study.sweep.name, study.folder.absolute(), url)
    here = {"host": socket.gethostname(), "folder": str(study.folder.absolute())}
    study.note(DRIVER, {**here, "name": own_name()})
    try:
        yield
    finally:
        study.note(DRIVER, {})
