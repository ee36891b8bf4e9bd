"""Where a study is stored: a journal in the sweep's folder, or a database."""

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock
from sqlalchemy.exc import SQLAlchemyError

from moebench.run.engines import EngineGoneError
from moebench.tracking.server import reason, shown

JOURNAL = "study.log"
WAY_OUT = "move the file away, and the same command makes the study again from the runs beside it"
SECONDS = 5  # for a database to answer
TIMEOUTS = {"postgresql": "connect_timeout", "mysql": "connect_timeout", "sqlite": "timeout"}


def open_storage(folder: Path, url: str) -> BaseStorage:
    """Return the storage, creating what is missing.

    Args:
        folder: the sweep's folder, locked by this process.
        url: URL of a database; empty for the journal in the folder.

    Raises:
        ConnectionError: if the storage cannot be used.
    """
    with answering(folder, url):
        if url:
            scheme = url.partition(":")[0].partition("+")[0]
            arguments = {TIMEOUTS[scheme]: SECONDS} if scheme in TIMEOUTS else {}
            engine = {"pool_pre_ping": True, "connect_args": arguments}
            return RDBStorage(url, engine_kwargs=engine)
        _mend(folder / JOURNAL)
        return _journal(folder / JOURNAL)


def existing_storage(folder: Path, url: str) -> BaseStorage | None:
    """Return the storage if it exists, for reading before anything is created or locked.

    A database is taken to exist, and must answer.

    Raises:
        ConnectionError: if the storage cannot be used.
    """
    if url:
        return open_storage(folder, url)
    with answering(folder, url):
        return _journal(folder / JOURNAL) if (folder / JOURNAL).exists() else None


def _journal(path: Path) -> BaseStorage:
    """Return the journal; Optuna's lock is a link to its path, which must therefore be absolute.

    Raises:
        ValueError: if Optuna cannot read it; names the file and, if known, the line.
    """
    _check(path)
    try:
        return JournalStorage(JournalFileBackend(str(path.absolute())))
    except OSError:
        raise
    except Exception as error:  # missing lines may raise anything
        raise ValueError(
            f"{path}: is damaged ({type(error).__name__}: {error}); {WAY_OUT}"
        ) from error


def _check(path: Path) -> None:
    """Refuse a journal with an invalid line; a kill may have cut the last one short."""
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    for number, line in enumerate(lines, start=1):
        try:
            known = "op_code" in json.loads(line)
        except (ValueError, TypeError, RecursionError):
            known = False
        if not known:
            raise ValueError(f"{path}:{number}: is not a line of a study; {WAY_OUT}")


def _mend(path: Path) -> None:
    """Repair a journal after a kill: remove its lock and a truncated last line.

    Otherwise Optuna would wait for a lock that nobody releases, or append to half a line and then
    be unable to read the file again.
    """
    with suppress(RuntimeError):  # there was no lock
        JournalFileSymlinkLock(str(path.absolute())).release()
    if path.exists():
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            with path.open("r+b") as file:
                file.truncate(whole)


@contextmanager
def answering(folder: Path, url: str) -> Iterator[None]:
    """Turn whatever a storage raises into a ConnectionError of one line."""
    where = shown(url) if url else str(folder / JOURNAL)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    except EngineGoneError:
        raise
    except (SQLAlchemyError, StorageInternalError, OSError) as error:
        cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
        raise ConnectionError(
            f"storage={where}: cannot be used ({reason(cause)}); run the same command to continue"
        ) from error
    except ImportError as error:
        raise ConnectionError(
            f"storage={where}: needs a driver ({error}); for PostgreSQL psycopg[binary]"
        ) from error
