"""What whole commands share: a PostgreSQL server of their own, and a Slurm cluster."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from . import slurm_cluster
from .slurm_cluster import Cluster


def missing() -> str:
    """Say what this machine lacks; empty where it has all."""
    if find_spec("psycopg") is None:
        return "the package psycopg is not installed"
    if shutil.which("initdb", path=search_path()) is None:
        return "PostgreSQL's initdb is not installed (Debian: apt-get install postgresql)"
    return ""


def search_path() -> str:
    """Where the programs of the server are: Debian keeps them out of PATH."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return os.pathsep.join([os.environ["PATH"], *map(str, folders)])


@pytest.fixture
def postgresql() -> Iterator[str]:
    """The URL of an empty database on loopback; the server refuses to run as root."""
    if why := missing():
        pytest.skip(why)
    folder = Path(tempfile.mkdtemp(prefix="moebench-postgresql-"))
    user = {"user": "postgres"} if os.geteuid() == 0 else {}
    if user:
        shutil.chown(folder, "postgres")
    name = user.get("user", pwd.getpwuid(os.geteuid()).pw_name)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def call(program: str, *arguments: str) -> None:
        path = shutil.which(program, path=search_path())
        assert path is not None
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/"}
        subprocess.run([path, *arguments], check=True, **quiet, **user)

    data = str(folder / "data")
    call("initdb", "--pgdata", data, "--auth", "trust", "--username", name, "--no-sync")
    options = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder} -c fsync=off"
    call("pg_ctl", "start", "--wait", "--pgdata", data, "--options", options)
    try:
        yield f"postgresql+psycopg://{name}@127.0.0.1:{port}/postgres"
    finally:
        call("pg_ctl", "stop", "--mode", "immediate", "--pgdata", data)
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def slurm() -> Iterator[Cluster]:
    """A Slurm cluster, which takes seconds to start; it runs one job a core."""
    if why := slurm_cluster.missing():
        pytest.skip(why)
    folder = Path(tempfile.mkdtemp(prefix="moebench-slurm-"))  # a socket has a short path
    with Cluster(folder).running() as running:
        yield running
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def cluster(slurm: Cluster) -> Iterator[Cluster]:
    """The same, which commands find."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", str(slurm.configuration))
        yield slurm
