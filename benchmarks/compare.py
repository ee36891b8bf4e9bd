"""How long a user waits for `moebench compare` when MLflow's database has very many trials.

A small sweep with a dense baseline is run and sent to a new database, where its trials are copied
with all their parameters, tags and points, under new numbers. The whole command is timed, from
start to files. Run: `python -m benchmarks.compare`, with nothing else running.
"""

import math
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks.command import number_of_rounds, one_line, parser, whole_number
from benchmarks.sweep import trials_alone
from benchmarks.timing import save
from moebench.run.execution import Execution
from moebench.sweeps import SearchOptions, search

VALIDATIONS = 10  # per run, the points of its curve
TABLES = ("runs", "tags", "params", "latest_metrics", "metrics")
# What differs in a copy: its name, and the arm that identifies the trial.
CHANGED = {
    "run_uuid": "run_uuid || '_' || number",
    "value": "case when key = 'arm' then value || '_' || number else value end",
}


def multiply(database: Path, times: int) -> int:
    """Copy every trial in an MLflow database until there are `times` as many.

    Returns:
        The resulting number of trials.
    """
    with sqlite3.connect(database) as connection:
        connection.execute(
            "create temp table trials as select run_uuid as trial from tags"
            " where key = 'arm' and value glob 'trial_*' intersect"
            " select run_uuid from tags where key = 'seed' and value = '0'"
        )
        connection.execute(
            "create temp table numbers as with recursive n(number) as"
            f" (select 1 union all select number + 1 from n where number < {times - 1})"
            " select number from n"
        )
        for table in TABLES:
            columns = [row[1] for row in connection.execute(f"pragma table_info({table})")]
            own = CHANGED if table == "tags" else {"run_uuid": CHANGED["run_uuid"]}
            chosen = ", ".join(own.get(column, column) for column in columns)
            connection.execute(
                f"insert into {table} select {chosen} from {table}"
                " join trials on run_uuid = trial cross join numbers"
            )
        [[count]] = connection.execute("select count(*) from trials")
    return int(count) * times


def seconds_of_command(root: Path) -> float:
    """Return the seconds that one `moebench compare` takes."""
    command = [sys.executable, "-m", "moebench.cli.main", "compare", "--root", str(root)]
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


@one_line
def main() -> None:
    """Create the database, time, print, and append to results.jsonl."""
    made = parser("benchmarks.compare", __doc__)
    made.add_argument("--trials", type=whole_number(), default=10_000, help="in the database")
    made.add_argument("--run", type=whole_number(), default=10, help="how many really run")
    made.add_argument(
        "--steps",
        type=whole_number(VALIDATIONS),
        default=300,
        help="per trial, which decides its points",
    )
    made.add_argument("--rounds", type=number_of_rounds, default=5)
    made.add_argument("--save", action="store_true", help="append to benchmarks/results.jsonl")
    options = made.parse_args()
    if options.run >= options.trials:
        made.error(f"--run {options.run}: must be fewer than --trials {options.trials}")
    os.environ.pop("MLFLOW_TRACKING_URI", None)  # only the database in the folder is timed
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        sweep = trials_alone(options.run, options.steps, validations=VALIDATIONS)
        beside = replace(sweep, baselines=("active_flops",), fresh_seeds=3)
        search(beside, SearchOptions(root=root, execution=Execution(None)))
        trials = multiply(root / "mlflow.db", math.ceil(options.trials / options.run))
        size = (root / "mlflow.db").stat().st_size / 2**20
        seconds = [seconds_of_command(root) for _ in range(options.rounds)]
    print(f"{trials} trials, a database of {size:.0f} MiB: {median(seconds):.1f} s")
    print(f"from {min(seconds):.1f} to {max(seconds):.1f} s in {options.rounds} rounds")
    if options.save:
        row = {"seconds": median(seconds), "low": min(seconds), "high": max(seconds)}
        save("compare", vars(options), {f"{trials} trials": row})


if __name__ == "__main__":
    main()
