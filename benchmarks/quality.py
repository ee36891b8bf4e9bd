"""Which router learns best: all at equal active FLOPs and equal parameters, tuned alike, ranked.

A router that sends a token to k experts has k times as many, each k times as narrow, so that all
have the active FLOPs of the dense model and the parameters of 8 experts of its size. Nothing is
dropped: only the choice differs. Every router, and the dense model, is tuned with as many points;
its best is run again with seeds that chose nothing, and these rank it.

Run: `python -m benchmarks.quality [--router their_pkg.TheirRouter] [--save]`. What has been run is
not run again.
"""

import argparse
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
import torch

from benchmarks.leaderboard import publish, text
from moebench.moe.routers import ROUTERS
from moebench.records import FIRST_FRESH_SEED, RunRecord, read
from moebench.run.function import named
from moebench.run.pool import default_workers
from moebench.sweep import Options, Sweep, search
from moebench.sweep.space import Dimension
from moebench.sweep.strategies import EVENLY, Part

DENSE = Path(__file__).parents[1] / "configs" / "switch_2021" / "dense.yaml"
EXPERTS, HIDDEN = 8, 256  # of the size of the dense model's blocks
PROBED = 64  # tokens that a router is tried out on
RATE = Dimension("learning rate", ("model.optimizer.init_args.lr",), low=4e-3, high=4e-2, log=True)
BALANCE = Dimension("balance weight", ("model.losses.0.weight",), low=1e-3, high=1e-1, log=True)


@dataclass(frozen=True)
class Entry:
    """A model in the ranking.

    Args:
        name: in the table.
        settings: configuration keys and values over those of the dense model.
        space: what is tuned.
    """

    name: str
    settings: Mapping[str, object]
    space: Sequence[Dimension]


def entry_of(class_path: str) -> Entry:
    """Return the entry of a router; it is tried out on random tokens first.

    Raises:
        ValueError: for a class that is not there or cannot be made from a number of experts (and a
            k), and for a router that chooses all: FLOPs and parameters cannot both be equal.
    """
    module, _, name = class_path.rpartition(".")
    try:
        made = named(f"{module}:{name}")
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"router={class_path}: no such class ({error})") from error
    arguments: dict[str, Any] = {"num_experts": EXPERTS}
    if (choices := inspect.signature(made).parameters.get("k")) is not None:
        arguments["k"] = 2 if choices.default is inspect.Parameter.empty else choices.default
    try:
        decision = made(16, **arguments)(torch.randn(PROBED, 16))
    except (TypeError, ValueError) as error:
        raise ValueError(f"router={class_path}: cannot be made and used: {error}") from error
    k = round(len(decision.token_A) / PROBED)
    if not 0 < k < EXPERTS:
        raise ValueError(
            f"router={class_path}: sends a token to {k} of {EXPERTS} experts, so FLOPs and "
            "parameters cannot both be equal"
        )
    sparse = {
        "router": {
            "class_path": class_path,
            "init_args": {**arguments, "num_experts": k * EXPERTS},
        },
        "experts": {"class_path": "ReluMLP", "init_args": {"hidden": HIDDEN // k}},
        "dispatcher": "Grouped",
    }
    settings: dict[str, object] = {"model.network.init_args.sparse": sparse}
    # A router that does not learn has nothing to balance.
    if decision.probs_TE is None or not decision.probs_TE.requires_grad:
        return Entry(made.__name__, settings, [RATE])
    settings["model.losses"] = [{"loss": "LoadBalance", "weight": 0.01}]
    return Entry(made.__name__, settings, [RATE, BALANCE])


def sweep_of(entry: Entry, options: argparse.Namespace) -> Sweep:
    """Return the search that tunes an entry and runs its best again."""
    settings = {
        "trainer.max_steps": options.steps,
        "trainer.val_check_interval": options.steps // 4,
        "trainer.precision": "faster",
        "data.init_args.valid_batches": 16,
        "model.optimizer": {
            "class_path": "torch.optim.AdamW",
            "init_args": {"lr": 1.2e-2, "fused": True},
        },
        **entry.settings,
    }
    if options.data is not None:
        source = {"class_path": "Files", "init_args": {"path": str(options.data)}}
        settings["data.init_args.source"] = source
    return Sweep(
        name=f"quality_{entry.name}",
        configs=[DENSE],
        settings=settings,
        space=entry.space,
        objectives={"valid/loss": "minimize"},
        sampler=EVENLY,
        pruner=Part(optuna.pruners.NopPruner),
        trials=options.points,
        fresh_seeds=options.seeds,
        baselines=(),
        surface=[dimension.name for dimension in entry.space][:2],
    )


def judged(entry: Entry, options: argparse.Namespace) -> list[RunRecord]:
    """Run what is missing of an entry; return its runs with fresh seeds, under its name."""
    chosen = Options(workers=options.workers, root=options.root, track=not options.no_mlflow)
    folder = search(sweep_of(entry, options), chosen)
    return [run for run in read(folder / "results.jsonl") if run.seed >= FIRST_FRESH_SEED]


def main() -> None:
    """Run, rank, print, and with --save fill in the table of README.md."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--router", action="append", default=[], help="class path; one more entry")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--points", type=int, default=6, help="of the tuning of every entry")
    parser.add_argument("--seeds", type=int, default=5, help="fresh ones, that rank")
    parser.add_argument("--workers", type=int, default=default_workers())
    parser.add_argument("--root", type=Path, default=Path("runs"))
    parser.add_argument("--data", type=Path, help="a text file or folder, not the default")
    parser.add_argument("--no-mlflow", action="store_true", help="keep records only")
    parser.add_argument("--save", action="store_true", help="write quality.jsonl and README.md")
    options = parser.parse_args()
    entries = [Entry("dense", {}, [RATE])]
    own = [f"moebench.moe.routers.{router.__name__}" for router in ROUTERS.values()]
    for class_path in [*own, *options.router]:
        try:
            entries.append(entry_of(class_path))
        except ValueError as error:
            if class_path in options.router:
                parser.error(str(error))
            print(f"left out: {error}")
    try:
        records = {entry.name: judged(entry, options) for entry in entries}
    except ValueError as error:
        parser.error(str(error))
    print(text(records))
    if options.save:
        publish(records)


if __name__ == "__main__":
    main()
