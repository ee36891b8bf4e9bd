"""Where MLflow keeps the runs, and a client that answers or fails quietly within seconds."""

import glob
import logging
import os
import re
import socket
import sqlite3
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass
from uuid import uuid4

from filelock import lock_descriptor

from moebench.tracking.opening_view import VIEW, experiment_tags
from moebench.tracking.store import Store

EXPERIMENT = "moebench"
TIMEOUT_SECONDS = 5
SQLITE = "sqlite:///"
PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306, "mssql": 1433}
DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": str(TIMEOUT_SECONDS),  # MLflow's own default is two minutes
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",  # and it tries seven times; the tracker tries later
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


def default_uri(root: Path) -> str:
    """Return `$MLFLOW_TRACKING_URI`, or the SQLite file under the folder of all runs."""
    if given := os.environ.get("MLFLOW_TRACKING_URI"):
        return given
    path = str(root.absolute() / "mlflow.db")
    # Then every slash as well: MLflow makes the folders in a URI by their escaped names.
    return f"{SQLITE}{quote(path, safe='') if set(path) & set('?%') else path}"


def sqlite_path(uri: str) -> Path | None:
    """Return the file of an SQLite URI; None for a URI of anything else."""
    name = uri.removeprefix(SQLITE).partition("?")[0]
    return Path(unquote(name)) if uri.startswith(SQLITE) else None


def artifact_root(root: Path) -> str:
    """Return where artifacts go when no server decides it: a folder beside the database."""
    return (root.absolute() / "mlartifacts").as_uri()


def ui_command(root: Path, port: int) -> list[str]:
    """Return the command that serves the MLflow UI, on loopback.

    Raises:
        ValueError: if `MLFLOW_TRACKING_URI` is a server, which has a UI already, or the port is
            taken.
    """
    uri = default_uri(root)
    if uri.startswith("http"):
        raise ValueError(f"MLFLOW_TRACKING_URI={shown(uri)}: a server; open it in a browser")
    _refuse_taken(port)
    return [
        *(sys.executable, "-m", "mlflow", "server"),
        *("--backend-store-uri", uri, "--default-artifact-root", artifact_root(root)),
        *("--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
    ]


def _refuse_taken(port: int) -> None:
    """Refuse a port that something else listens on, or that only an administrator may use."""
    with socket.socket() as tried:
        tried.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # it may have been left just now
        try:
            tried.bind(("127.0.0.1", port))
        except OSError as error:
            raise ValueError(f"port={port}: {error.strerror}; --port takes another") from error


def ui_address(root: Path, port: int) -> str:
    """Return where the UI shows the list of runs; its own first page is about language models.

    Raises:
        ConnectionError: if the database does not answer.
    """
    experiment = open_store(root).experiment
    query = f"workflowType=machine_learning&viewStateShareKey={VIEW}"
    return f"http://127.0.0.1:{port}/#/experiments/{experiment}/runs?{query}"


def open_store(root: Path) -> Store:
    """Return the experiment of all runs; makes it, and the default database, if missing.

    Raises:
        ConnectionError: if the server or database does not answer; names the URI and what to do.
        OSError: if the folder of the database cannot be made; names it.
    """
    uri = default_uri(root)
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    probe(root)
    with _reached(uri), warnings.catch_warnings():  # it uses deprecated parts of SQLAlchemy
        warnings.simplefilter("ignore")
        from mlflow import MlflowClient

        local = not uri.startswith(("http", "databricks"))
        artifacts = artifact_root(root) if local else None
        with _one_at_a_time(uri):
            _make_whole(uri, MlflowClient)
            client = MlflowClient(tracking_uri=uri)
            return Store(client, EXPERIMENT, artifacts, experiment_tags())


def probe(root: Path) -> None:
    """Fail at once where MLflow would retry for minutes: a closed port, an unusable file.

    MLflow itself is not imported for it.

    Raises:
        ConnectionError: if the server or database does not answer; names the URI and what to do.
        OSError: if the folder of the database cannot be made; names it.
    """
    uri = default_uri(root)
    parts, path = urlsplit(uri), sqlite_path(uri)
    if path is not None:  # what is wrong with a folder is no fault of MLflow
        path.parent.mkdir(parents=True, exist_ok=True)
    with _reached(uri):
        if path is not None:
            sqlite3.connect(path).execute("PRAGMA schema_version").connection.close()
        elif parts.hostname and (parts.scheme not in getproxies() or proxy_bypass(parts.hostname)):
            port = parts.port or PORTS.get(parts.scheme.partition("+")[0])
            socket.create_connection((parts.hostname, port), TIMEOUT_SECONDS).close()


@contextmanager
def _reached(uri: str) -> Iterator[None]:
    """Turn whatever MLflow raises while it is reached into a ConnectionError of one line."""
    try:
        yield
    except Exception as error:
        raise ConnectionError(
            f"MLflow at {shown(uri)} cannot be reached ({reason(error)}); "
            "set MLFLOW_TRACKING_URI to another one, or use --no-mlflow"
        ) from error


@contextmanager
def _one_at_a_time(uri: str) -> Iterator[None]:
    """Lock the folder of a database while its tables are made: only one program at a time can."""
    path = sqlite_path(uri)
    if path is None:
        yield
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        lock_descriptor(folder)  # of the folder itself: no lock file is left beside the database
        yield
    finally:
        os.close(folder)


def _make_whole(uri: str, client: Callable[..., object]) -> None:
    """Make the tables of a new database beside it, and move it there once it has all of them.

    MLflow cannot open one that a full disk or a killed program left with some.
    """
    path = sqlite_path(uri)
    if path is None or (path.exists() and path.stat().st_size):
        return
    name, *query = uri.split("?")
    half = f".{uuid4().hex}.new"  # MLflow goes on with the file that once had a name
    try:
        client(tracking_uri="?".join([name + half, *query]))
        path.with_name(path.name + half).replace(path)
    finally:
        for left in path.parent.glob(f"{glob.escape(path.name)}.*.new*"):  # journals as well
            left.unlink()


def shown(uri: str) -> str:
    """Return a URI as it may be shown: without user and password."""
    return re.sub(r"//[^/@]*@", "//", uri)


def reason(error: Exception) -> str:
    """Return the first words of an error."""
    lines = shown(str(error)).splitlines() or [type(error).__name__]
    return lines[0][:160]
