"""Arguments that several commands take: said alike, and refused where they enter."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from moebench.papers.home import find_config
from moebench.papers.nearest import no_such_file

DEVICES = ("cpu", "cuda")
PRECISIONS = ("faster", "32-true", "bf16-mixed", "16-mixed", "bf16-true", "16-true", "64-true")

REQUESTS = {
    "pause": "let the runs under way finish, and start no more",
    "resume": "let a paused sweep go on",
    "stop": "end it; the same command goes on from the checkpoints",
}


class Parser(argparse.ArgumentParser):
    """A parser that raises what it refuses, so that every refusal is told in one place.

    Its help ends with what `ending` returns, which may take long to find out.
    """

    ending: Callable[[], str] | None = None

    def format_help(self) -> str:
        """Return the help, which begins with what has to be said, and ends with its end."""
        if self.ending is not None:
            self.epilog = self.ending()
        if self.usage is None:
            self.usage = " ".join(
                ["%(prog)s", *map(_said, filter(_needed, self._actions)), "[options]"]
            )
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Refuse a command line.

        Raises:
            ValueError: with what is wrong and where to read on.
        """
        raise ValueError(f"{message}; `{self.prog} --help` says what there is")


def _needed(action: argparse.Action) -> bool:
    return action.required and action.help != argparse.SUPPRESS


def _said(action: argparse.Action) -> str:
    """Return an argument as a line of usage has it."""
    value = str(action.metavar or action.dest.upper())
    return f"{action.option_strings[0]} {value}" if action.option_strings else value


def a_path(text: str) -> Path:
    """Read the path of something; an empty text would mean the folder that one stands in."""
    if not text.strip():
        raise argparse.ArgumentTypeError("is empty; it takes a file or a folder")
    return Path(text)


def there(text: str) -> Path:
    """Read the path of something that exists."""
    found = a_path(text)
    if not found.exists():
        raise argparse.ArgumentTypeError(f"{text!r}: no such file or folder")
    return found


def a_file(text: str) -> Path:
    """Read the path of a file that exists, here or among those that come with moebench."""
    found = a_path(find_config(text))
    if not found.exists():
        raise argparse.ArgumentTypeError(f"{text!r}: {no_such_file(found)}")
    if not found.is_file():
        kind = "a folder" if found.is_dir() else "no regular file"
        raise argparse.ArgumentTypeError(f"{text!r}: is {kind}; it takes a file")
    return found


def a_folder(text: str) -> Path:
    """Read the path of a folder, which need not exist yet."""
    found = a_path(text)
    for place in (found, *found.parents):
        if place.is_symlink() and not place.exists():
            raise argparse.ArgumentTypeError(f"{text!r}: the link {place} leads nowhere")
    if not (place := nearest_there(found)).is_dir():
        what = "is" if place == found.absolute() else f"{place} is"
        raise argparse.ArgumentTypeError(f"{text!r}: {what} a file; it takes a folder")
    return found


def a_port(text: str) -> int:
    """Read the number of a port."""
    if not (text.isdecimal() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text}: must be a whole number from 1 to 65535")
    return int(text)


def nearest_there(path: Path) -> Path:
    """Return a path, or the nearest of those around it that exists."""
    absolute = path.absolute()
    return next(place for place in (absolute, *absolute.parents) if place.exists())


def refuse_unwritable(folder: Path) -> None:
    """Refuse a folder that nothing can be written to, before anything is computed for it.

    Raises:
        ValueError: naming it.
    """
    place = nearest_there(folder)
    if not os.access(place, os.W_OK | os.X_OK):
        raise ValueError(f"{folder}: {place} cannot be written to; name another folder")


def add_root(command: "argparse._ActionsContainer") -> None:
    """Add the option that says where all runs are."""
    command.add_argument(
        "--root",
        type=a_folder,
        default=Path("runs"),
        metavar="FOLDER",
        help="folder that holds all runs (default: %(default)s)",
    )


def add_name(command: "argparse._ActionsContainer", what: str, default: str) -> None:
    """Add the option that names what a command makes.

    Args:
        command: a parser, or a group of one.
        what: it makes.
        default: the name without it, in words.
    """
    command.add_argument("--name", default="", help=f"name of the {what} (default: {default})")


def add_requests(command: argparse.ArgumentParser) -> None:
    """Add the options by which a sweep that runs in another terminal is asked for something."""
    group = command.add_argument_group("a sweep that runs in another terminal")
    words = group.add_mutually_exclusive_group()
    for word, says in REQUESTS.items():
        words.add_argument(
            f"--{word}",
            dest="request",
            action="store_const",
            const=word,
            help=f"{says} (default: no)",
        )


def add_mlflow(command: "argparse._ActionsContainer") -> None:
    """Add the option that leaves MLflow out."""
    command.add_argument(
        "--no-mlflow", action="store_true", help="keep the records only, without a copy in MLflow"
    )


def add_text(command: argparse.ArgumentParser, default: str) -> "argparse._MutuallyExclusiveGroup":
    """Add the options that name a person's own text; return what other ways to name one join.

    Args:
        command: a parser.
        default: the text without them, in words.
    """
    group = command.add_argument_group("text")
    ways = group.add_mutually_exclusive_group()
    ways.add_argument(
        "--data",
        type=there,
        metavar="FOLDER",
        help="your own text: a file, or a folder in which each folder is a domain "
        f"(default: {default})",
    )
    group.add_argument(
        "--field",
        help="field that holds the text in .jsonl and .parquet files (default: text)",
    )
    return ways


def add_device(command: "argparse._ActionsContainer") -> None:
    """Add the option that says what to compute on."""
    command.add_argument(
        "--device", choices=DEVICES, help="what to compute on (default: a GPU if there is one)"
    )


def add_machine(
    command: argparse.ArgumentParser,
) -> "argparse._ArgumentGroup":
    """Add the options of what trains: device and precision; return the group of them."""
    group = command.add_argument_group("machine")
    add_device(group)
    group.add_argument(
        "--precision",
        choices=PRECISIONS,
        help="precision to train in; faster: bf16-mixed where this machine is fast at it "
        "(default: as configured)",
    )
    return group
