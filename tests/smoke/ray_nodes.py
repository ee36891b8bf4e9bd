"""A Ray cluster on this machine for the tests: each node has an address on loopback and a folder.

Ray listens on all addresses whatever it is told, so strangers are kept out by a token.
"""

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from .cluster_runs import PARTS

ROOT = Path(__file__).parents[2]
HEAD = "127.0.0.2"
SECONDS = 240.0  # for a node to start, beside busy neighbours


def missing() -> str:
    """Say what this machine lacks; empty where it has all."""
    if find_spec("ray") is None:
        return 'Ray is not installed (pip install "moebench[ray]")'
    return "" if sys.platform == "linux" else "only Linux has all of 127.0.0.0/8 on loopback"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind((HEAD, 0))
        return int(free.getsockname()[1])


class Node:
    """The daemons of one node, which end together.

    Args:
        folder: of the node.
        address: on loopback.
        options: more arguments of `ray start`.
        environment: of the daemons.
    """

    def __init__(
        self, folder: Path, address: str, options: list[str], environment: Mapping[str, str]
    ) -> None:
        self.folder = folder
        (folder / "tmp").mkdir(parents=True)
        log = folder / "log"
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block"]
        command += ["--node-ip-address", address, "--temp-dir", str(folder / "ray"), *options]
        command += ["--min-worker-port=0", "--max-worker-port=0"]
        command += ["--dashboard-agent-listen-port=0", "--include-log-monitor=false"]
        command += ["--object-store-memory=100000000", "--disable-usage-stats"]
        own = {"TMPDIR": str(folder / "tmp"), "PYTHONPATH": f"{ROOT}{os.pathsep}{PARTS}"}
        with log.open("w") as file:
            self.daemons = subprocess.Popen(
                command,
                env={**environment, **own},
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        deadline = time.monotonic() + SECONDS
        while "Ray runtime started" not in log.read_text():
            if self.daemons.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(log.read_text())
            time.sleep(0.1)

    @property
    def runs(self) -> Path:
        """The folder in which its runs work."""
        return self.folder / "tmp" / f"moebench-{os.getuid()}" / "runs"

    def kill(self) -> None:
        """End it as a power cut would; a second time does nothing."""
        if self.daemons.returncode is None:
            os.killpg(self.daemons.pid, signal.SIGKILL)
            self.daemons.wait()
            # Workers have groups of their own, and would train on until they miss their daemon.
            for worker in self._inheriting():
                with suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)

    def _inheriting(self) -> Iterator[int]:
        """Yield the processes that were started with the folder of this node."""
        mark = f"TMPDIR={self.folder / 'tmp'}".encode()
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it may have ended, or be somebody else's
                if mark in (process / "environ").read_bytes().split(b"\0"):
                    yield int(process.name)


class RayCluster:
    """A head, and nodes of one core each; a context manager that ends them.

    Args:
        cores: of the head.
    """

    def __init__(self, cores: int = 0) -> None:
        self.token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        given = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "MOEBENCH_"))}
        # Ray would let all other processes of the machine go first.
        self._environment = {**given, **self.token, "RAY_worker_niceness": "0"}
        self._folder = tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True)
        self.nodes: list[Node] = []
        port, door = free_port(), free_port()
        self.inside, self.outside = f"{HEAD}:{port}", f"ray://{HEAD}:{door}"
        options = [f"--port={port}", f"--ray-client-server-port={door}"]
        options += [f"--num-cpus={cores}"]
        self.head = self._start(HEAD, ["--head", "--include-dashboard=false", *options])

    def add(self, last: int) -> Node:
        """Start a node and wait for it; its address ends with a number."""
        return self._start(f"127.0.0.{last}", [f"--address={self.inside}", "--num-cpus=1"])

    def _start(self, address: str, options: list[str]) -> Node:
        folder = Path(self._folder.name) / str(len(self.nodes))
        self.nodes.append(Node(folder, address, options, self._environment))
        return self.nodes[-1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for node in reversed(self.nodes):
            node.kill()
        self._folder.cleanup()
