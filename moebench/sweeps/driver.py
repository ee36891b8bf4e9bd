"""Who drives a study, for others who share its database and not its folder."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from moebench.run.sole_user import own_name, sole_user
from moebench.sweeps.study import Study

DRIVER = "moebench.driver"


@contextmanager
def driven(study: Study) -> Iterator[None]:
    """Note in a study that this process drives it, as long as it does.

    The lock of the driver's folder tells whether it lives; that of another machine cannot be asked.

    Raises:
        ValueError: if another process drives it, or may do so; names it.
    """
    host, folder = socket.gethostname(), str(study.folder.absolute())
    noted = study.attributes.get(DRIVER) or {}
    if noted and noted["host"] != host:
        name = study.sweep.name
        raise ValueError(
            f"study {name}: driven by {noted['name']}; if that is gone for good, `optuna study"
            f" set-user-attr --study-name {name} --key {DRIVER} --value '' --storage URL` frees it"
        )
    if noted and noted["folder"] != folder and (other := Path(noted["folder"])).is_dir():
        with sole_user(other):  # refused if it lives
            pass
    study.note(DRIVER, {"host": host, "folder": folder, "name": own_name()})
    try:
        yield
    finally:
        study.note(DRIVER, {})
