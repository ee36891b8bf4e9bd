"""A Ray cluster that exists already: what it has room for, and the tasks that runs are on it."""

import os
import socket
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import ray
from ray.exceptions import GetTimeoutError, RayError, RayTaskError

from moebench import __version__
from moebench.run.engines import EngineGoneError
from moebench.run.engines.engine_options import RayOptions
from moebench.run.engines.ray_mailbox import Began, Mailbox, Piece
from moebench.run.engines.ray_node import Asked, Left, carry_out
from moebench.run.engines.ray_resources import (
    as_options,
    in_words,
    needs_of,
    nodes_in_words,
    times,
)

CLIENT = "ray://"
SECONDS = 10.0  # for the head to accept a connection
# The head starts a server for each driver; that may be slow, or stumble over a process that ends.
STUMBLED = "Initialization failure from server"
TRIES = 3
PATIENCE = 60.0  # seconds for it to answer, however busy
HEAD = "node:__internal_head__"  # resource that the head node alone has


class Over(NamedTuple):
    """A run has ended, or was refused: its node is not like the driver, or has a full disk."""

    key: str
    left: Left | ValueError | OSError


class Seen(NamedTuple):
    """What is new on the cluster."""

    news: list[Began | Piece]
    over: list[Over]
    room: int  # how many runs on one device fit by now


class Cluster:
    """The connection to a cluster, and the runs submitted to it.

    Args:
        options: of the engine.

    Raises:
        EngineGoneError: if it cannot be reached.
        ValueError: if none of its nodes has what a run asks for.
    """

    def __init__(self, options: RayOptions) -> None:
        self.options = options
        self._tasks: dict[Any, str] = {}  # reference to the result -> key of the run
        self._fitting: set[int] = set()  # numbers of devices that some node has
        _connect(options)
        self._refuse_too_large(devices=1)
        self._carry_out = ray.remote(carry_out)
        try:
            self._mailbox = ray.remote(num_cpus=0, resources={HEAD: 0.001})(Mailbox).remote()
            ray.get(self._mailbox.take.remote(), timeout=PATIENCE)
        except GetTimeoutError:
            raise EngineGoneError(f"engine=ray: {options.address}: does not answer") from None
        except (RayError, ImportError) as error:
            raise _not_installed("the head node", error) from None

    def submit(self, asked: Asked, devices: int) -> None:
        """Let Ray find a place for a run, and another one if that is lost.

        Args:
            asked: of the node.
            devices: that train it together.

        Raises:
            ValueError: if none of the nodes has what it asks for.
        """
        self._refuse_too_large(devices)
        task = self._carry_out.options(
            name=f"moebench:{asked.key}",
            max_retries=self.options.retries,
            **as_options(needs_of(self.options, devices)),
        )
        self._tasks[task.remote(asked, self._mailbox)] = asked.key

    def tell(self, key: str, wish: str) -> None:
        """Leave a run a word; one that has no place yet gets it as it begins."""
        self._mailbox.tell.remote(key, wish)

    def see(self, seconds: float) -> Seen:
        """Wait for the next run to end, so many seconds at most, and return all that is new.

        Raises:
            EngineGoneError: if the head does not answer.
        """
        try:
            over = [Over(self._tasks.pop(task), _left(task)) for task in self._ready(seconds)]
            # After the runs that are over, so that nothing comes after a run is.
            news = ray.get(self._mailbox.take.remote(), timeout=PATIENCE)
            room = self._room(devices=1)
        except (RayError, ConnectionError):
            raise EngineGoneError(gone(self.options)) from None
        return Seen(news, over, max(room, 1) if self.options.autoscaling else room)

    def _ready(self, seconds: float) -> list[Any]:
        """Return the tasks that are over, as soon as there is one."""
        tasks = list(self._tasks)
        if not tasks:
            time.sleep(seconds)  # until a node comes
            return []
        if not ray.wait(tasks, timeout=seconds)[0]:
            return []
        ready: list[Any] = ray.wait(tasks, num_returns=len(tasks), timeout=0)[0]
        return ready

    def _room(self, devices: int) -> int:
        needs = needs_of(self.options, devices)
        return sum(times(has, needs) for has in _nodes())

    def _refuse_too_large(self, devices: int) -> None:
        if devices in self._fitting or self.options.autoscaling:
            return
        if not self._room(devices):
            needs = in_words(needs_of(self.options, devices))
            raise ValueError(
                f"engine=ray: a run asks for {needs}, which no node has; the cluster has"
                f" {nodes_in_words(_nodes())}"
            )
        self._fitting.add(devices)


def gone(options: RayOptions) -> str:
    """Return what to say when the cluster is."""
    kept = "what had ended is kept, and the same command goes on"
    return f"engine=ray: the cluster at {options.address} is gone; {kept}"


def _nodes() -> list[Mapping[str, float]]:
    """Return what each node of the cluster has."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def _connect(options: RayOptions) -> None:
    """Connect this process to a cluster.

    Raises:
        EngineGoneError: if it cannot be reached.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    given = options.address
    address = os.environ.get("RAY_ADDRESS", given) if given == "auto" else given
    why = f"engine=ray: address={given}: "
    if address != "auto":  # Ray itself would try for minutes
        host, _, port = address.removeprefix(CLIENT).rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), SECONDS).close()
        except OSError as error:
            raise EngineGoneError(f"{why}cannot be reached ({error})") from None
    for left in reversed(range(TRIES)):
        try:
            ray.init(
                address,
                runtime_env=dict(options.runtime_env),
                log_to_driver=False,
                logging_level="error",
            )
            return
        except Exception as error:  # Ray raises anything
            if not left or STUMBLED not in str(error):
                raise EngineGoneError(f"{why}{_first(error)}") from None
            ray.shutdown()


def _left(task: Any) -> Left | ValueError | OSError:
    """Return what a run has left; only why, if Ray has lost it more often than it tries."""
    try:
        left: Left = ray.get(task)
    except RayTaskError as error:
        if isinstance(error.cause, ValueError | OSError):
            return error.cause
        if "failed to import" in str(error):
            return _not_installed(f"node {error.ip}", error)
        return Left({}, str(error))
    except RayError as error:
        return Left({}, _first(error))
    return left


def _not_installed(where: str, error: Exception) -> ValueError:
    """Return what to say of a node without this package."""
    why = str(error).strip().splitlines()[-1]
    return ValueError(f"engine=ray: {where} cannot load moebench {__version__}: {why}")


def _first(error: Exception) -> str:
    """Return what an error says first, and what that comes from: Ray's go on for pages."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return " ".join(dict.fromkeys((lines[0], lines[-1]))) if lines[0].endswith(":") else lines[0]
