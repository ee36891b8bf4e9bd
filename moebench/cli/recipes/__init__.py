"""What `moebench new` writes: the files of a recipe, with tests that pass.

The recipes are the folders beside this file. In the path of a template `NAME` stands for the name;
in its text `$name` does, `$Name` for its class, and `$Title` and `$year` for a paper's. A template
without `NAME` in its path is shared by all of its kind, and written only if it is missing.
"""

import argparse
import re
from datetime import UTC, datetime
from pathlib import Path
from string import Template

from moebench.cli.recipes.import_order import with_sorted_imports
from moebench.cli.recipes.names import check_bound_once, check_name, class_of

KINDS = ("paper", "router", "loss", "data")
ENDING = ".template"
PART = ("pytest test_{name}.py", "moebench fit --config {name}.yaml")
PAPER = ("pytest reproductions/{name}", "moebench reproduce {name} --profile smoke")


def new(options: argparse.Namespace) -> int:
    """Write the files of a recipe, as the command says; return the exit status."""
    for path in write(options.kind, options.name, Path()):
        print(path)
    for command in PAPER if options.kind == "paper" else PART:
        print(f"try: {command.format(name=options.name)}")
    return 0


def write(kind: str, name: str, folder: Path) -> list[Path]:
    """Write the files of a recipe into a folder; return their paths, relative to it.

    Args:
        kind: one of `KINDS`.
        name: of the module; of a paper's folders.
        folder: the current one of a person; a paper goes into `reproductions/` and `configs/`.

    Raises:
        ValueError: for a name that no module can have, or that is taken.
        FileExistsError: if a file is there; nothing is written then.
    """
    check_name(kind, name)
    texts = _texts(kind, name, folder)
    own = [path for path, shared in texts if not shared]
    if taken := [path for path in own if (folder / path).exists()]:
        raise FileExistsError(f"{taken[0]}: is there already, and nothing is overwritten")
    written = []
    for (path, shared), text in texts.items():
        if not (shared and (folder / path).exists()):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
            written.append(path)
    return written


def _texts(kind: str, name: str, folder: Path) -> dict[tuple[Path, bool], str]:
    """Return the text of every file, by its path and whether it is shared."""
    recipe = Path(__file__).parent / kind
    words = {
        "name": name,
        "Name": class_of(name),
        "Title": " ".join(word.title() for word in name.split("_") if word),
        "year": _year(name),
    }
    own = {name, *(["moebench"] if (folder / "moebench").is_dir() else [])}  # in a checkout
    found = {}
    for template in sorted(recipe.rglob(f"*{ENDING}")):
        path = Path(template.relative_to(recipe).as_posix().removesuffix(ENDING))
        text = Template(template.read_text(encoding="utf-8")).substitute(words)
        if path.suffix == ".py":
            text = with_sorted_imports(text, own)
            check_bound_once(name, text)
        found[Path(str(path).replace("NAME", name)), "NAME" not in str(path)] = text
    return found


def _year(name: str) -> int:
    """Return the year that a paper's name ends with, or this one."""
    year = re.search(r"(?:19|20)\d\d$", name)
    return int(year[0]) if year else datetime.now(UTC).year
