"""What can be said to `moebench fit`: options of its own, and the keys of a configuration."""

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from moebench.cli.arguments import (
    Parser,
    a_file,
    add_data,
    add_device,
    add_field,
    add_precision,
    add_root,
)
from moebench.cli.options import chosen_settings

KEYS = """keys, laid over the files, as in --model.network.layers=4:
  seed_everything   seed of data order, initial weights and noise (default: 0)
  model             network, losses, optimizer, warmup_steps, router_rate
  data              the data module: source, objective, vocabulary, length, batch_size
  trainer           Lightning's: max_steps, val_check_interval, accumulate_grad_batches, callbacks

--help=model, --help=data and --help=trainer list them, --help=all lists everything, --print_config
prints a whole configuration, and `moebench list` names the parts there are."""
LONGEST = 120  # bytes of a name, to which others may be added
FIRST = "short"
PAGES = (FIRST, "all", "model", "data", "trainer")


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
        page: of the help, one of `PAGES`, where that is asked for instead.
    """

    arguments: Sequence[str]
    settings: Mapping[str, object] = field(default_factory=dict)
    title: str = "run"
    name: str = ""
    root: Path = Path("runs")
    track: bool = True
    page: str | None = None

    def __post_init__(self) -> None:
        check_name(self.name)


def fit_parser() -> Parser:
    """Return the parser of all but the keys."""
    made = Parser(
        prog="moebench fit",
        usage="%(prog)s --config FILE [--config FILE ...] [options] [--KEY=VALUE ...]",
        description="Run one experiment: train it, record it, and keep its weights.",
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
        help="YAML of an experiment; of several, later ones lie over earlier ones",
    )
    made.add_argument(
        "--name", default="", help="of the run (default: its files and a hash of all settings)"
    )
    add_data(made, "that of the configuration, or the packages of the installation")
    add_field(made)
    add_device(made)
    add_precision(made)
    add_root(made)
    made.add_argument("--no-mlflow", action="store_true", help="keep the record only")
    made.add_argument(
        "--help",
        "-h",
        nargs="?",
        const=FIRST,
        choices=PAGES,
        help="show this, or the keys of a part",
    )
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
    whole = any(re.match(r"--(model|print_config)\b", key) for key in keys)
    if not (options.config or whole):
        raise ValueError(
            "fit: no configuration; `--config FILE` names one, such as those under configs/"
        )
    return FitOptions(
        arguments=[f"--config={path}" for path in options.config] + keys,
        settings=chosen_settings(options),
        title=title_of(options.config),
        name=options.name,
        root=options.root,
        track=not options.no_mlflow,
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
