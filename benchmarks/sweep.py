"""How much more workers speed up a sweep: the same trials with one and with several, in turn.

Every round runs the same search in an empty folder, including its start and end. A ratio of 2 with
2 workers would be twice as many trials per hour. Run: `python -m benchmarks.sweep`, with nothing
else running.
"""

import tempfile
import time
from dataclasses import replace
from pathlib import Path

import optuna

from benchmarks.command import number_of_rounds, one_line, parser, whole_number
from benchmarks.timing import ratios, save, table
from moebench.run.dry_run import dry_run
from moebench.run.execution import Execution
from moebench.run.machine import default_workers
from moebench.sweeps import SearchOptions, Sweep, read_sweep, search
from moebench.sweeps.space import Dimension
from moebench.sweeps.strategies import QUASI_RANDOM, Part

FILE = Path(__file__).parents[1] / "configs" / "sweeps" / "switch.yaml"
CAPACITY = "model.network.init_args.sparse.router.init_args.capacity.factor"
# Ranges instead of the file's few values, so that no point repeats and is answered without a run.
SPACE = [
    Dimension("capacity factor", (CAPACITY,), low=0.5, high=4.0),
    Dimension("balance weight", ("model.losses.0.weight",), low=1e-4, high=1.0, log=True),
]


def trials_alone(trials: int, steps: int, validations: int = 1) -> Sweep:
    """Return the sweep of Switch with this many trials, without baselines or fresh seeds."""
    over = {"trainer.max_steps": steps, "trainer.val_check_interval": steps // validations}
    return replace(
        read_sweep(FILE, over=over),
        space=SPACE,
        sampler=QUASI_RANDOM,
        pruner=Part(optuna.pruners.NopPruner),
        trials=trials,
        fresh_seeds=0,
        baselines=(),
        tuning=(),
    )


def seconds_of(sweep: Sweep, workers: int) -> float:
    """Return the seconds that a search takes from start to report."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        search(sweep, SearchOptions(Path(folder), track=False, execution=Execution(workers)))
        return time.perf_counter() - started


@one_line
def main() -> None:
    """Time, print, and append to results.jsonl."""
    made = parser("benchmarks.sweep", __doc__)
    made.add_argument("--workers", type=whole_number(), default=default_workers())
    made.add_argument("--trials", type=whole_number(), default=8)
    made.add_argument("--steps", type=whole_number(), default=200)
    made.add_argument("--rounds", type=number_of_rounds, default=3)
    made.add_argument("--save", action="store_true", help="append to benchmarks/results.jsonl")
    options = made.parse_args()
    if options.workers < 2:
        made.error(f"--workers {options.workers}: compared with one, so must be 2 or more")
    sweep = trials_alone(options.trials, options.steps)
    dry_run(sweep.base)  # prepares the data, so that the first round does not pay for it
    workers = {"1 worker": 1, f"{options.workers} workers": options.workers}
    seconds: dict[str, list[float]] = {name: [] for name in workers}
    for turn in range(options.rounds):
        for name in list(workers)[:: -1 if turn % 2 else 1]:
            seconds[name].append(seconds_of(sweep, workers[name]))
    rows = ratios(seconds, against=f"{options.workers} workers")
    print(table(f"time of a sweep over that with {options.workers} workers", rows))
    if options.save:
        save("sweep", vars(options), rows)


if __name__ == "__main__":
    main()
