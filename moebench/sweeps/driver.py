"""Who drives a study, for others who share its database and not its folder."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moebench.run.sole_user import own_name, sole_user
from moebench.sweeps.study import Study

DRIVER = "moebench.driver"


def refuse_driven(attributes: Mapping[str, Any], name: str, folder: Path) -> None:
    """Refuse a study that another process drives, or may drive.

    The lock of the driver's folder tells whether it lives; that of another machine cannot be asked.

    Args:
        attributes: of the study.
        name: of the study.
        folder: of this process.

    Raises:
        ValueError: naming the driver.
    """
    noted = attributes.get(DRIVER) or {}
    if noted and noted["host"] != socket.gethostname():
        raise ValueError(
            f"study {name}: driven by {noted['name']}; if that is gone for good, `optuna study"
            f" set-user-attr --study-name {name} --key {DRIVER} --value '' --storage URL` frees it"
        )
    other = Path(noted.get("folder", folder))
    if other != folder.absolute() and other.is_dir():
        with sole_user(other):  # refused if it lives
            pass


@contextmanager
def driven(study: Study) -> Iterator[None]:
    """Note in a study that this process drives it, as long as it does.

    Raises:
        ValueError: if another process drives it, or may do so; names it.
    """
    refuse_driven(study.attributes, study.sweep.name, study.folder.absolute())
    here = {"host": socket.gethostname(), "folder": str(study.folder.absolute())}
    study.note(DRIVER, {**here, "name": own_name()})
    try:
        yield
    finally:
        study.note(DRIVER, {})
