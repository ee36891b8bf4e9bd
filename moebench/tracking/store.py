"""Where MLflow keeps its runs, and the connection to it."""

import logging
import os
import sys
import warnings
from pathlib import Path
from typing import Any

EXPERIMENT = "moebench"


def default_uri(root: Path) -> str:
    """Return `$MLFLOW_TRACKING_URI`, or the SQLite file under the folder of all runs."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{root.absolute()}/mlflow.db"


def ui_command(root: Path, port: int) -> list[str]:
    """Return the command that serves the MLflow UI on loopback."""
    backend = ["--backend-store-uri", default_uri(root)]
    address = ["--host", "127.0.0.1", "--port", str(port)]
    return [sys.executable, "-m", "mlflow", "server", *backend, *address]


def open_store(root: Path) -> tuple[Any, str, str]:
    """Return client, URI and number of the experiment, made where they are missing.

    Raises:
        ConnectionError: if the store cannot be reached; names the URI and how to change it.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "5")  # seconds; the default is minutes
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    warnings.filterwarnings("ignore", module="mlflow|sqlalchemy")
    from mlflow import MlflowClient

    for chatter in ("alembic", "mlflow", "urllib3"):  # mlflow sets its own level when imported
        logging.getLogger(chatter).setLevel(logging.ERROR)
    uri = default_uri(root)
    try:
        if uri.startswith("sqlite:"):
            root.mkdir(parents=True, exist_ok=True)
        client = MlflowClient(tracking_uri=uri)
        found = client.get_experiment_by_name(EXPERIMENT)
        # Without a location of its own MLflow writes into the current directory.
        artifacts = f"file://{root.absolute()}/mlartifacts" if uri.startswith("sqlite:") else None
        number = found.experiment_id if found else client.create_experiment(EXPERIMENT, artifacts)
    except Exception as error:
        reason = str(error).splitlines()[0][:160]
        raise ConnectionError(
            f"MLFLOW_TRACKING_URI={uri}: cannot be reached ({reason}); start the server, unset the "
            "variable for a local database, or add --no-mlflow"
        ) from error
    return client, uri, number
