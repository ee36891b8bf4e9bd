"""A Slurm cluster of one machine: the real daemons, in a folder of their own, on loopback."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

from moebench.run.engines.engine_options import SlurmOptions
from moebench.run.engines.profile import EngineProfile
from moebench.run.execution import Execution

CPUS = 4
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")
# `cred_expire` is also how long a job that was put back into the queue waits.
CONFIGURATION = """
ClusterName=moebench
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser=root
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthInfo=socket={folder}/munge/socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
AuthType=auth/munge
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=1000
SlurmdParameters=config_overrides
SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=0
ReturnToService=2
MpiDefault=none
KillWait=2
GresTypes=gpu
NodeName=here NodeHostname={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=8000 Gres=gpu:1
PartitionName=main Nodes=here Default=YES DefaultTime=60 MaxTime=120 State=UP
PartitionName=idle Nodes=here State=UP
"""


def missing() -> str:
    """Say what this machine lacks for a cluster; empty where it has all."""
    if find_spec("submitit") is None:
        return "the package submitit is not installed"
    if absent := [name for name in PROGRAMS if shutil.which(name, path=search_path()) is None]:
        return f"{', '.join(absent)} not installed (Debian: apt-get install slurm-wlm munge)"
    return "" if os.geteuid() == 0 else "Slurm's daemons run jobs as others, which takes root"


def on_slurm(**options: object) -> Execution:
    """Return how runs are carried out by a cluster, as many at once as it holds."""
    profile = EngineProfile("slurm", SlurmOptions(**options))
    return Execution(None, profile, time_limit=300.0)  # no test waits for ever


def search_path() -> str:
    """Where the daemons are, which are not for every user."""
    return os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/usr/local/sbin"])


class Cluster:
    """One node under the name `here`, and the partitions `main`, the default, and `idle`.

    Args:
        folder: where everything of the daemons is; a short path, as a socket lies there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.configuration = folder / "slurm.conf"
        self.controller: subprocess.Popen[bytes] | None = None

    def call(self, *command: str) -> str:
        """Return what a command of Slurm prints."""
        return subprocess.run(
            command, check=True, capture_output=True, text=True, env=self._environment
        ).stdout

    @property
    def _environment(self) -> dict[str, str]:
        """In which commands find this cluster."""
        return {**os.environ, "SLURM_CONF": str(self.configuration)}

    def ids(self) -> list[str]:
        """Return the ids of all jobs that are in the queue or run."""
        return self.call("squeue", "--noheader", "--array", "--format=%i").split()

    def empty(self) -> None:
        """End all jobs and wait for them: without a controller a job does not end."""
        if ids := self.ids():
            self.call("scancel", *ids)
        deadline = time.monotonic() + 60
        while self.ids():
            assert time.monotonic() < deadline, self.call("squeue")
            time.sleep(0.1)

    def start_controller(self) -> None:
        """Start what schedules the jobs; it goes on with those that it knows of."""
        self.controller = self._start("slurmctld", "-D", "-f", str(self.configuration))
        states = ("sinfo", "--noheader", "--format=%t", "--partition=main")
        self._wait_for("idle|mix|alloc|comp", *states)

    def kill_controller(self) -> None:
        """End what schedules the jobs; those that run do not notice."""
        assert self.controller is not None
        self.controller.kill()
        self.controller.wait()

    def _start(self, program: str, *arguments: str) -> "subprocess.Popen[bytes]":
        path = shutil.which(program, path=search_path())
        assert path is not None
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/"}
        # In a session of its own it does not hear of Ctrl-C, before the jobs have ended.
        return subprocess.Popen([path, *arguments], start_new_session=True, **quiet)

    def _wait_for(self, pattern: str, *command: str) -> None:
        """Wait until a command prints what is expected."""
        deadline = time.monotonic() + 60
        said = ""
        while not re.search(pattern, said):
            assert time.monotonic() < deadline, f"{' '.join(command)}: {said}"
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, env=self._environment
            )
            said = done.stdout + done.stderr
            time.sleep(0.1)

    @contextmanager
    def running(self) -> Iterator["Cluster"]:
        """Start all daemons, and end each in the end by its id."""
        with ExitStack() as ends:
            munge = self._authenticate()
            ends.callback(munge.wait)
            ends.callback(munge.terminate)
            self._configure()
            node = self._start("slurmd", "-D", "-f", str(self.configuration), "-N", "here")
            ends.callback(node.wait)
            ends.callback(node.terminate)
            ends.callback(self.kill_controller)
            self.start_controller()
            ends.callback(self.empty)
            yield self

    def _authenticate(self) -> "subprocess.Popen[bytes]":
        """Start the daemon by which the others know one another."""
        place = self.folder / "munge"
        place.mkdir(mode=0o755)
        (place / "key").write_bytes(os.urandom(128))
        (place / "key").chmod(0o600)
        files = [f"--key-file={place / 'key'}", f"--socket={place / 'socket'}"]
        files += [f"--{name}-file={place / name}" for name in ("pid", "log", "seed")]
        daemon = self._start("munged", "--foreground", "--force", *files)
        self._wait_for(r"STATUS:\s+Success", *self._credential(place))
        return daemon

    def _credential(self, place: Path) -> list[str]:
        return ["sh", "-c", f"munge -S {place}/socket -n | unmunge -S {place}/socket"]

    def _configure(self) -> None:
        """Write the configuration of the cluster, with ports that are free."""
        with socket.socket() as one, socket.socket() as other:
            for free in (one, other):
                free.bind(("127.0.0.1", 0))
            controller, node = (free.getsockname()[1] for free in (one, other))
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        self.configuration.write_text(
            CONFIGURATION.format(
                host=socket.gethostname(),
                controller=controller,
                node=node,
                folder=self.folder,
                cpus=CPUS,
            )
        )
        (self.folder / "gres.conf").write_text("NodeName=here Name=gpu File=/dev/null\n")
