"""The cost of Lightning and the history file: a full run against a bare loop.

Both train the model of one configuration on the same batches, in turn, in blocks of steps; the full
run has every callback and logger of a real one. MLflow is not included: a worker never talks to it,
as the parent process reads the worker's file. Starting a fit counts as well, so a block has 200
steps: with 40, the start outweighs everything else. Run: `python -m benchmarks.train`.
"""

import tempfile
import time
from pathlib import Path

import torch
from pytorch_lightning import Callback

from benchmarks.command import number_of_rounds, one_line, parser, whole_number
from benchmarks.loop import BareLoop
from benchmarks.timing import ratios, save, table, turns
from moebench.experiment import Experiment, load
from moebench.run.callbacks import RandomState, StopOnDivergence
from moebench.run.history import History
from moebench.run.work_done import Work

CONFIG = Path(__file__).parents[1] / "configs" / "switch_2021" / "switch_8.yaml"


def full(experiment: Experiment, *callbacks: Callback) -> float:
    """Return the seconds per step of a run as a worker makes it, without validation."""
    with tempfile.TemporaryDirectory() as folder:
        model, data, trainer = experiment.build(
            default_root_dir=folder,
            enable_checkpointing=False,
            logger=[History(Path(folder) / "history.jsonl")],
            callbacks=[Work(), RandomState(), StopOnDivergence(), *callbacks],
            limit_val_batches=0,
        )
        started = time.perf_counter()
        trainer.fit(model, data)
        return (time.perf_counter() - started) / trainer.global_step


@one_line
def main() -> None:
    """Time, print, and append to results.jsonl."""
    made = parser("benchmarks.train", __doc__)
    made.add_argument("--rounds", type=number_of_rounds, default=3)
    made.add_argument("--steps", type=whole_number(), default=200)
    made.add_argument("--save", action="store_true", help="append to benchmarks/results.jsonl")
    options = made.parse_args()
    steps = {"trainer.max_steps": options.steps, "trainer.val_check_interval": options.steps}
    experiment = load([CONFIG], steps)
    _, data, _ = experiment.build(logger=False, enable_checkpointing=False)
    data.prepare_data()
    ways = {
        "bare loop": lambda: BareLoop(experiment)(options.steps),
        "lightning and history": lambda: full(experiment),
    }
    rows = ratios(turns(ways, options.rounds), against="bare loop")
    print(table("time per step over that of a bare loop", rows))
    if options.save:
        save("train", {**vars(options), "threads": torch.get_num_threads()}, rows)


if __name__ == "__main__":
    main()
