"""Arguments that several commands take: said alike, and refused where they enter."""

import argparse
import os
from pathlib import Path
from typing import NoReturn

from moebench.papers.home import find_config
from moebench.papers.nearest import no_such_file

DEVICES = ("cpu", "cuda")
PRECISIONS = ("faster", "32-true", "bf16-mixed", "16-mixed", "bf16-true", "16-true", "64-true")


class Parser(argparse.ArgumentParser):
    """A parser that raises what it refuses, so that every refusal is told in one place."""

    def error(self, message: str) -> NoReturn:
        """Refuse a command line.

        Raises:
            ValueError: with what is wrong and where to read on.
        """
        raise ValueError(f"{message}; `{self.prog} --help` says what there is")


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


def add_root(command: argparse.ArgumentParser) -> None:
    """Add the option that says where all runs are."""
    command.add_argument(
        "--root",
        type=a_folder,
        default=Path("runs"),
        metavar="FOLDER",
        help="folder of all runs (default: %(default)s)",
    )


def add_data(command: "argparse._ActionsContainer", default: str) -> None:
    """Add the option that names a person's own text.

    Args:
        command: a parser, or a group of one.
        default: the text without it, in words.
    """
    command.add_argument(
        "--data",
        type=there,
        metavar="FOLDER",
        help=f"text: a file, or a folder in which each folder is a domain (default: {default})",
    )


def add_field(command: argparse.ArgumentParser) -> None:
    """Add the option that says where the text of `--data` is."""
    command.add_argument(
        "--field", help="of the text in .jsonl and .parquet files of --data (default: text)"
    )


def add_device(command: argparse.ArgumentParser) -> None:
    """Add the option that says what to compute on."""
    command.add_argument(
        "--device", choices=DEVICES, help="to compute on (default: a GPU where there is one)"
    )


def add_precision(command: argparse.ArgumentParser) -> None:
    """Add the option that says in which precision to train."""
    command.add_argument(
        "--precision",
        choices=PRECISIONS,
        help="to train in; faster: bf16-mixed where that is fast (default: as configured)",
    )


def machine_settings(options: argparse.Namespace) -> dict[str, object]:
    """Return the settings of the device and precision that a person chose.

    Raises:
        ValueError: for a GPU where there is none.
    """
    if options.device == "cuda":
        from moebench.run.machine import device_of  # needs torch

        device_of(options.device)
    chosen = {"trainer.accelerator": options.device, "trainer.precision": options.precision}
    return {key: value for key, value in chosen.items() if value is not None}
