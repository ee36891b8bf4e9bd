"""What the driver of a large sweep costs, on nodes that exist only in virtual time.

The study, its journal, the sampler, the folders and records of all trials and the progress are the
real ones; only the engine carries out nothing: its runs take minutes of a clock that jumps, and
some fail or lose their node. Run: `python -m benchmarks.virtual_cluster`.
"""

import heapq
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import optuna

from benchmarks.command import one_line, parser, whole_number
from benchmarks.sweep import trials_alone
from benchmarks.timing import save
from moebench.experiment import DataStamp
from moebench.run.engine import Ended
from moebench.run.job import Job
from moebench.run.machine import peak_memory_bytes
from moebench.run.progress import Progress
from moebench.run.scheduler import Scheduler
from moebench.run.sources import Source
from moebench.sweeps.baselines import Baselines
from moebench.sweeps.definition import LOSS, Sweep
from moebench.sweeps.storage import open_storage
from moebench.sweeps.strategies import Part
from moebench.sweeps.study import Study
from moebench.sweeps.trials import Trials
from moebench.testing.jobs import leave

SHORTEST, LONGEST = 60.0, 1800.0  # seconds of a run
FAILURES = 0.01  # share of the runs that fail; of half of those the node is lost
VALIDATIONS, STEPS = 5, 500  # of a run


@dataclass
class Virtual:
    """A run in virtual time."""

    job: Job
    node: int
    fate: str  # a status, or "lost"
    seconds: float  # between two validations
    validated: int = 0


class VirtualCluster:
    """An engine whose nodes carry out one run each in virtual time.

    Args:
        nodes: how many.
        seed: of the lengths and the failures.
    """

    def __init__(self, nodes: int, seed: int = 0) -> None:
        self.slots = nodes
        self.now = 0.0
        self.submitted: Counter[str] = Counter()  # arm -> times
        self.lost = 0
        self.busy = 0.0  # seconds of processor time that the nodes' own part took
        self._chance = random.Random(seed)
        self._free = list(range(nodes))
        self._runs: dict[Path, Virtual] = {}  # by folder
        self._events: list[tuple[float, int, Virtual]] = []  # by time; the number breaks ties
        self._over: list[Ended] = []
        self._count = 0

    @property
    def running(self) -> list[Job]:
        """The jobs on nodes."""
        return [run.job for run in self._runs.values()] + [ended.job for ended in self._over]

    def where(self, job: Job) -> str:
        """Return the node of a running job."""
        return f"node-{self._runs[job.folder].node}" if job.folder in self._runs else ""

    def submit(self, job: Job) -> None:
        """Give a job to a free node."""
        chance = self._chance
        fate = chance.choice(["lost", "failed"]) if chance.random() < FAILURES else "finished"
        seconds = chance.uniform(SHORTEST, LONGEST) / VALIDATIONS
        run = Virtual(job, self._free.pop(), fate, seconds)
        self._runs[job.folder] = run
        self.submitted[job.arm] += 1
        self._come(run)

    def ended(self) -> list[Ended]:
        """Return what has ended since the last call."""
        over, self._over = self._over, []
        return over

    def prune(self, job: Job) -> None:
        """End a job at its next validation."""
        if job.folder in self._runs:
            self._runs[job.folder].fate = "pruned"

    def cancel(self, job: Job) -> None:
        """Take a job off its node."""
        self._leave(self._runs[job.folder])

    def wait(self, seconds: float) -> None:
        """Let time pass until a job ends, so many seconds at most."""
        until = self.now + seconds
        with self._own_time():
            while self._events and self._events[0][0] <= until and not self._over:
                self.now, _, run = heapq.heappop(self._events)
                if self._runs.get(run.job.folder) is run:
                    self._validate(run)
        self.now = self.now if self._over else until

    def _validate(self, run: Virtual) -> None:
        """Let a run reach its next validation, and perhaps its end."""
        run.validated += 1
        job, share = run.job, run.validated / VALIDATIONS
        loss = 3.0 - share + self._chance.random()
        last = run.validated == VALIDATIONS
        if run.fate == "lost" and last:
            self.lost += 1
            self._leave(run)
            self._over.append(Ended(job, None, "its node was lost"))
            return
        job.folder.mkdir(parents=True, exist_ok=True)
        with job.history_path.open("a") as file:
            line = {"step": round(STEPS * share), "time": self.now, LOSS: loss}
            file.write(json.dumps(line) + "\n")
        if last or run.fate == "pruned":
            record = leave(job, run.fate, loss, config=job.experiment.config, code={})
            self._leave(run)
            self._over.append(Ended(job, record))
        else:
            self._come(run)

    def _come(self, run: Virtual) -> None:
        self._count += 1
        heapq.heappush(self._events, (self.now + run.seconds, self._count, run))

    def _leave(self, run: Virtual) -> None:
        del self._runs[run.job.folder]
        self._free.append(run.node)

    @contextmanager
    def _own_time(self) -> Iterator[None]:
        started = time.process_time()
        yield
        self.busy += time.process_time() - started

    def __enter__(self) -> "VirtualCluster":
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Forget what runs."""


class Driven(NamedTuple):
    """What a simulated sweep came to."""

    trials: Counter[str]  # state in the study -> trials
    virtual: float  # seconds of the virtual clock
    driver: float  # seconds of processor time that the driver took


def large_sweep(trials: int) -> Sweep:
    """Return the sweep of Switch with many trials, its sampler learning from all of them."""
    sweep = trials_alone(trials, STEPS, VALIDATIONS)
    sampler = Part(optuna.samplers.TPESampler)
    return replace(sweep, sampler=sampler, data=DataStamp("simulated", 1))


def drive(sweep: Sweep, cluster: VirtualCluster, folder: Path) -> Driven:
    """Run a sweep's driver on a cluster until it is done."""
    folder.mkdir(parents=True, exist_ok=True)
    used = time.process_time()
    study = Study(sweep, open_storage(folder, ""), folder)
    sources: list[Source] = [Baselines(study), Trials(study)]
    with cluster, Progress(clock=lambda: cluster.now) as progress:
        Scheduler(cluster, sources, progress, clock=lambda: cluster.now).run()
    driver = time.process_time() - used - cluster.busy
    states = Counter(trial.state.name for trial in study.trials())
    return Driven(states, cluster.now, driver)


@one_line
def main() -> None:
    """Simulate, print, and append to results.jsonl."""
    command = parser("benchmarks.virtual_cluster", __doc__)
    command.add_argument("--nodes", type=whole_number(), default=200)
    command.add_argument("--trials", type=whole_number(), default=10_000)
    command.add_argument("--save", action="store_true", help="append to benchmarks/results.jsonl")
    options = command.parse_args()
    cluster = VirtualCluster(options.nodes)
    with tempfile.TemporaryDirectory() as folder:
        found = drive(large_sweep(options.trials), cluster, Path(folder))
    memory, share = peak_memory_bytes(), found.driver / found.virtual
    states = ", ".join(f"{count} {state.lower()}" for state, count in found.trials.most_common())
    print(f"{found.trials.total()} trials: {states}; {cluster.lost} workers were lost")
    print(
        f"simulated: {found.virtual / 3600:.1f} h; driver: {found.driver:.0f} s of processor time"
    )
    print(f"that is {share:.1%} of a core, and at most {memory / 2**20:.0f} MiB of memory")
    if options.save:
        row = {"core": share, "bytes": memory, "seconds": found.driver, "virtual": found.virtual}
        save("virtual_cluster", vars(options), {"driver": row})


if __name__ == "__main__":
    main()
