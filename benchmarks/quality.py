"""Which router learns best, with equal active FLOPs, equal parameters and equal tuning.

A router that sends a token to k experts has k times as many of them, each k times narrower, so that
all have the active FLOPs of the dense model and the parameters of 8 experts of its size. Nothing is
dropped: only the choice of experts differs. Every router and the dense model are tuned with equally
many points; the best point is run again with fresh seeds, which determine the rank, unless the
trained model turns out to cost more or less than the dense one.

Run: `python -m benchmarks.quality [--router their_pkg.TheirRouter] [--save]`. Finished runs are not
repeated.
"""

import argparse
import inspect
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
import torch

from benchmarks import command
from benchmarks.command import one_line, whole_number
from benchmarks.leaderboard import publish, text
from moebench.cli.arguments import (
    add_mlflow,
    add_name,
    add_root,
    add_text,
)
from moebench.cli.chosen_settings import chosen_settings
from moebench.cli.execution_options import add_execution, execution_of
from moebench.cli.exports import FORMS
from moebench.cli.fit_options import check_name
from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import read
from moebench.moe.balance import BalancedDecision
from moebench.moe.decision import RoutingDecision
from moebench.moe.routers import ROUTERS
from moebench.moe.sees import Sees, sees
from moebench.papers.computed import import_function
from moebench.sweeps import SearchOptions, Sweep, search
from moebench.sweeps.results import SUMMARY
from moebench.sweeps.space import Dimension
from moebench.sweeps.strategies import QUASI_RANDOM, Part

DENSE = Path(__file__).parents[1] / "configs" / "switch_2021" / "dense.yaml"
EXPERTS, HIDDEN = 8, 256  # experts of the size of the dense model's blocks
VALIDATIONS = 4  # per run
VALID_BATCHES = 16
PROBED = 64  # tokens for trying out a router
OWN = "moebench.moe.routers."
SENT = (1, 2, 4, 8)  # possible numbers of experts per token
RATE = Dimension("learning rate", ("model.optimizer.init_args.lr",), low=4e-3, high=4e-2, log=True)
BALANCE = Dimension("balance weight", ("model.losses.0.weight",), low=1e-3, high=1e-1, log=True)


@dataclass(frozen=True)
class Entry:
    """A model in the ranking.

    Args:
        name: its name in the table.
        settings: configuration keys and values that override those of the dense model.
        space: what is tuned.
    """

    name: str
    settings: Mapping[str, object]
    space: Sequence[Dimension]


def entry_of(class_path: str) -> Entry:
    """Return the entry of a router, after trying it out on random tokens.

    Raises:
        ValueError: for a class that does not exist or cannot be created from a number of experts
            (and a k), and for a router that chooses all experts: its FLOPs and parameters cannot
            both be equal to the others'.
    """
    module, _, name = class_path.rpartition(".")
    try:
        made = import_function(f"{module}:{name}")
        takes = inspect.signature(made).parameters
    except Exception as error:  # third-party modules may raise anything
        raise ValueError(f"router={class_path}: no such class ({error})") from error
    k, arguments, decision = tried_out(class_path, made, takes.get("k"))
    if Sees.LATER in (sees(made(16, **arguments), None, training=False) or Sees.TOKEN):
        raise ValueError(
            f"router={class_path}: chooses by later tokens in validation, too, so its loss leaks"
        )
    sparse = {
        "router": {"class_path": class_path, "init_args": arguments},
        "experts": {"class_path": "ReluMLP", "init_args": {"hidden": HIDDEN // k}},
        "dispatcher": "Grouped",
    }
    settings: dict[str, object] = {"model.network.init_args.sparse": sparse}
    title = class_path.removeprefix(OWN)
    if isinstance(decision, BalancedDecision):  # balanced already, but with thresholds to learn
        settings["model.losses"] = [{"loss": "ThresholdGap", "weight": 0.1}]
        return Entry(title, settings, [RATE])
    # A router that does not learn has nothing to balance.
    if decision.probs_TE is None or not decision.probs_TE.requires_grad:
        return Entry(title, settings, [RATE])
    settings["model.losses"] = [{"loss": "LoadBalance", "weight": 0.01}]
    return Entry(title, settings, [RATE, BALANCE])


def tried_out(
    class_path: str, made: Any, choices: inspect.Parameter | None
) -> tuple[int, dict[str, Any], RoutingDecision]:
    """Return a router's experts per token k, its arguments for 8 k experts, and a decision.

    Raises:
        ValueError: if there is no such k.
    """
    arguments: dict[str, Any] = {}
    if choices is not None:
        arguments["k"] = 2 if choices.default is inspect.Parameter.empty else choices.default
    why = ""
    for k in SENT:
        arguments["num_experts"] = k * EXPERTS
        try:
            decision: RoutingDecision = made(16, **arguments)(torch.randn(PROBED, 16))
            sent = len(decision.token_A) / PROBED
        except Exception as error:  # third-party code may raise anything
            why = f"cannot be created and used: {error}"
            continue
        if round(sent) == k:
            return k, arguments, decision
        why = f"sends a token to {sent:g} of {k * EXPERTS} experts"
    raise ValueError(
        f"router={class_path}: {why}; only k of {EXPERTS} k experts can match both the FLOPs and "
        f"the parameters of {EXPERTS} experts"
    )


def sweep_of(entry: Entry, options: argparse.Namespace) -> Sweep:
    """Return the sweep that tunes an entry and runs its best point again."""
    settings = {
        "trainer.max_steps": options.steps,
        "trainer.val_check_interval": options.steps // VALIDATIONS,
        "trainer.precision": "faster",
        "data.init_args.valid_batches": VALID_BATCHES,
        "model.optimizer": {
            "class_path": "torch.optim.AdamW",
            "init_args": {"lr": 1.2e-2, "fused": True},
        },
        **entry.settings,
    }
    return Sweep(
        name=f"{options.name or f'quality_{options.steps}'}_{entry.name}",
        configs=[DENSE],
        settings={**settings, **chosen_settings(options)},
        space=entry.space,
        objectives={"valid/loss": "minimize"},
        sampler=QUASI_RANDOM,
        pruner=Part(optuna.pruners.NopPruner),
        trials=options.points,
        fresh_seeds=options.seeds,
        baselines=(),
        surface=[dimension.name for dimension in entry.space][:2],
    )


def judged(entry: Entry, options: argparse.Namespace) -> list[RunRecord]:
    """Make the missing runs of an entry; return those of its best point with fresh seeds.

    A search that was extended also has fresh-seed runs of an earlier best. If no point has a
    result, return the runs of all points.
    """
    chosen = SearchOptions(
        options.root, track=not options.no_mlflow, execution=execution_of(options)
    )
    sweep = sweep_of(entry, options)
    folder = search(sweep, chosen)
    best = json.loads((folder / SUMMARY).read_text())["best"]
    runs = read(folder / "results.jsonl")
    if best is None:
        return [run for run in runs if run.status != "finished"]
    return [run for run in runs if run.arm == f"trial_{best}" and run.seed in sweep.later_seeds]


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = command.parser("benchmarks.quality", __doc__)
    made.formatter_class = argparse.RawDescriptionHelpFormatter
    count = whole_number()
    for option, kind, default, told in [
        ("--steps", whole_number(VALIDATIONS), 400, "optimiser steps of a run"),
        ("--points", count, 6, "points tried to tune an entry"),
        ("--seeds", count, 5, "fresh seeds, for the ranking"),
    ]:
        made.add_argument(option, type=kind, default=default, help=f"{told} (default: {default})")
    made.add_argument(
        "--router",
        action="append",
        default=[],
        help="class path of an entry of your own; repeat it for several (default: none)",
    )
    add_text(made, "that of the packages")
    add_execution(made)
    add_name(made, "studies, before that of the entry", "quality and the steps")
    add_root(made)
    add_mlflow(made)
    made.add_argument("--save", action="store_true", help="write quality.jsonl and README.md")
    made.add_argument(
        "--format",
        choices=FORMS,
        default="",
        help="print only the table, in this form (default: text)",
    )
    return made


@one_line
def main() -> None:
    """Run, rank, print, and with --save fill in the table of README.md."""
    made = parser()
    options = made.parse_args()
    check_name(options.name)
    execution_of(options)  # before anything is tried out
    if options.save and options.data:
        made.error("--save: the table is for the default text, so not with --data")
    entries = {"dense": Entry("dense", {}, [RATE])}
    for class_path in [
        *(f"{OWN}{router.__name__}" for router in ROUTERS.values()),
        *options.router,
    ]:
        try:
            entry = entry_of(class_path)
        except ValueError as error:
            if class_path in options.router:
                made.error(str(error))
            print(f"left out: {error}", file=sys.stderr)
        else:
            entries[entry.name] = entry
    records = {name: judged(entry, options) for name, entry in entries.items()}
    print(text(records, options.format))
    if options.save:
        publish(records)


if __name__ == "__main__":
    main()
