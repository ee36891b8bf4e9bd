"""What can be said to `moebench fit`: options of its own, and the keys of a configuration."""

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from moebench.cli.arguments import (
    Parser,
    a_file,
    add_machine,
    add_mlflow,
    add_name,
    add_root,
    add_text,
    refuse_unwritable,
)
from moebench.cli.chosen_settings import chosen_settings
from moebench.cli.execution_options import add_time_limit
from moebench.run.execution import Execution

KEYS = """keys of the configuration, laid over the files, as in --trainer.max_steps=100:
  seed_everything  seed of data order, initial weights and noise (default: 0)
  model            network, losses and optimizer                 --help=model
  data             text or a world, and its batches              --help=data
  trainer          steps, validation, precision, callbacks       --help=trainer

--help=KEY goes further down, as in --help=model.network or --help=router, and takes the name of a
part, as in --help=Switch; --help=all shows all keys. --print_config prints the whole configuration
with every default and trains nothing. `moebench list` names the parts."""
LONGEST = 120  # bytes of a name, to which others may be added
FIRST = ""  # the page of the options


@dataclass(frozen=True)
class FitOptions:
    """One experiment as a person asked for it.

    Args:
        arguments: for LightningCLI: the files, then the keys.
        settings: configuration keys and values laid over those.
        title: what the run is called, before the hash of its configuration.
        name: what it is called instead; empty: title and hash.
        root: folder of all runs.
        track: whether MLflow gets a copy.
        execution: how the run is carried out.
        page: of the help, where that is asked for instead: a key, a part, or `FIRST`.
    """

    arguments: Sequence[str]
    settings: Mapping[str, object] = field(default_factory=dict)
    title: str = "run"
    name: str = ""
    root: Path = Path("runs")
    track: bool = True
    execution: Execution = field(default_factory=Execution)
    page: str | None = None

    def __post_init__(self) -> None:
        check_name(self.name)


def fit_parser() -> Parser:
    """Return the parser of all but the keys."""
    made = Parser(
        prog="moebench fit",
        usage="%(prog)s --config FILE [--config FILE ...] [options] [--KEY=VALUE ...]",
        description="Train one experiment, record it, and keep its weights.",
        epilog=KEYS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
    )
    made.add_argument(
        "--config",
        type=a_file,
        action="append",
        default=[],
        metavar="FILE",
        help="YAML of an experiment; repeat it to lay files over one another (default: none)",
    )
    made.add_argument(
        "--help",
        "-h",
        nargs="?",
        const=FIRST,
        metavar="KEY",
        help="show this page, or the keys of a part (default: this page)",
    )
    add_text(made, "that of the configuration")
    add_time_limit(add_machine(made), "the run")
    results = made.add_argument_group("results")
    add_name(results, "run", "its files and a hash of all settings")
    add_root(results)
    add_mlflow(results)
    return made


def fit_options(given: Sequence[str]) -> FitOptions:
    """Return what a person asked for.

    Raises:
        ValueError: for an option that is refused, or without any configuration.
    """
    parser = fit_parser()
    options, keys = parser.parse_known_args(list(given))
    if options.help is not None:
        return FitOptions([], page=options.help)
    if keys and not keys[0].startswith("-"):
        raise ValueError(f"{keys[0]}: no option; `--config {keys[0]}` names a configuration")
    check_name(options.name)
    refuse_unwritable(options.root)
    execution = Execution(time_limit=options.time_limit)
    settings = chosen_settings(options)
    if keys or options.config:
        from moebench.cli.unknown_keys import refuse_unknown  # imports what other commands need not

        refuse_unknown(options.config, keys, [*parser._option_string_actions])
    whole = any(re.match(r"--(model|print_config)\b", key) for key in keys)
    if not (options.config or whole):
        raise ValueError(
            "fit: no configuration; `--config FILE` names one, such as those under configs/"
        )
    return FitOptions(
        arguments=[f"--config={path}" for path in options.config] + keys,
        settings=settings,
        title=title_of(options.config),
        name=options.name,
        root=options.root,
        track=not options.no_mlflow,
        execution=execution,
    )


def title_of(files: Sequence[Path]) -> str:
    """Return what a run of these files is called; a hash of all settings follows."""
    return "+".join(path.stem for path in files)[:LONGEST] or "run"


def check_name(name: str) -> None:
    """Raise ValueError for a name of a run that cannot be that of a folder; empty will do."""
    if name and not re.fullmatch(r"[\w+-][\w.+-]*", name):
        raise ValueError(
            f"name={name}: becomes a folder; letters, digits and any of _ . + - will do"
        )
    if len(name.encode()) > LONGEST:
        raise ValueError(f"name={name[:20]}...: becomes a folder; at most {LONGEST} bytes long")
