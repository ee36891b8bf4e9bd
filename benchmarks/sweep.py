"""What more workers bring to a sweep: the same trials with one worker and with several, in turn.

Every round searches anew, in an empty folder, with as many trials of as many steps; starting and
ending a search counts. A ratio of 2 with 2 workers would be twice as many trials an hour. Run:
`python -m benchmarks.sweep`, with nothing else running.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import optuna

from benchmarks.timing import number_of_rounds, ratios, save, table, whole_number
from moebench.run.pool import default_workers
from moebench.sweeps import SearchOptions, Sweep, read_sweep, search
from moebench.sweeps.dry_run import rehearse
from moebench.sweeps.space import Dimension
from moebench.sweeps.strategies import EVENLY, Part

FILE = Path(__file__).parents[1] / "configs" / "sweeps" / "switch.yaml"
CAPACITY = "model.network.init_args.sparse.router.init_args.capacity.factor"
# A range in the place of the file's few values: no point comes twice, to be answered without a run.
SPACE = [
    Dimension("capacity factor", (CAPACITY,), low=0.5, high=4.0),
    Dimension("balance weight", ("model.losses.0.weight",), low=1e-4, high=1.0, log=True),
]


def trials_alone(trials: int, steps: int, validations: int = 1) -> Sweep:
    """Return the sweep of Switch with that many trials, and neither baselines nor fresh seeds."""
    over = {"trainer.max_steps": steps, "trainer.val_check_interval": steps // validations}
    return replace(
        read_sweep(FILE, over=over),
        space=SPACE,
        sampler=EVENLY,
        pruner=Part(optuna.pruners.NopPruner),
        trials=trials,
        fresh_seeds=0,
        baselines=(),
        tuning=(),
    )


def seconds_of(sweep: Sweep, workers: int) -> float:
    """Return the seconds of a search from its start to its report."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        search(sweep, SearchOptions(workers=workers, root=Path(folder), track=False))
        return time.perf_counter() - started


def main() -> None:
    """Time, print, and append to results.jsonl."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=whole_number(), default=default_workers())
    parser.add_argument("--trials", type=whole_number(), default=12)
    parser.add_argument("--steps", type=whole_number(), default=300)
    parser.add_argument("--rounds", type=number_of_rounds, default=3)
    parser.add_argument("--save", action="store_true", help="append to benchmarks/results.jsonl")
    options = parser.parse_args()
    if options.workers < 2:
        parser.error(f"--workers {options.workers}: one is what they are compared with; 2 or more")
    sweep = trials_alone(options.trials, options.steps)
    rehearse(sweep.base)  # which makes the data: the first round is not to pay for that
    crews = {"1 worker": 1, f"{options.workers} workers": options.workers}
    seconds: dict[str, list[float]] = {name: [] for name in crews}
    for turn in range(options.rounds):
        for name in list(crews)[:: -1 if turn % 2 else 1]:
            seconds[name].append(seconds_of(sweep, crews[name]))
    rows = ratios(seconds, against=f"{options.workers} workers")
    print(table(f"time of a sweep over that with {options.workers} workers", rows))
    if options.save:
        save("sweep", vars(options), rows)


if __name__ == "__main__":
    main()
