"""What `moebench new` writes: the files of a recipe, with tests that pass.

The recipes are the folders beside this file. `NAME` in the path of a template and `$name` in its
text stand for the name, `$Name` for the class of it. A template without `NAME` in its path is
shared by all of its kind, and written where it is missing.
"""

import argparse
import re
from datetime import UTC, datetime
from importlib.util import find_spec
from keyword import iskeyword
from pathlib import Path
from string import Template

KINDS = ("paper", "router", "loss", "data")
ENDING = ".template"
NEXT = {
    "paper": "pytest reproductions/{name}; moebench reproduce {name} --profile smoke",
    "router": "pytest test_{name}.py; moebench fit --config {name}.yaml",
    "loss": "pytest test_{name}.py; moebench fit --config {name}.yaml",
    "data": "pytest test_{name}.py; moebench fit --config {name}.yaml",
}


def new(options: argparse.Namespace) -> int:
    """Write the files of a recipe, as the command says; return the exit status."""
    for path in write(options.kind, options.name, Path()):
        print(path)
    print(f"try: {NEXT[options.kind].format(name=options.name)}")
    return 0


def write(kind: str, name: str, folder: Path) -> list[Path]:
    """Write the files of a recipe into a folder; return their paths, relative to it.

    Args:
        kind: one of `KINDS`.
        name: of the module; of a paper's folders.
        folder: the current one of a person; a paper goes into `reproductions/` and `configs/`.

    Raises:
        ValueError: for a name that Python has no use for, or that something else has.
        FileExistsError: if a file is there; nothing is written then.
    """
    _check(kind, name)
    texts = _texts(kind, name)
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


def _texts(kind: str, name: str) -> dict[tuple[Path, bool], str]:
    """Return the text of every file, by its path and whether it is shared."""
    recipe = Path(__file__).parent / kind
    words = {
        "name": name,
        "Name": "".join(word.title() for word in name.split("_")),
        "Title": " ".join(word.title() for word in name.split("_")),
        "year": _year(name),
    }
    found = {}
    for template in sorted(recipe.rglob(f"*{ENDING}")):
        path = template.relative_to(recipe).as_posix().removesuffix(ENDING)
        text = Template(template.read_text(encoding="utf-8")).substitute(words)
        found[Path(path.replace("NAME", name)), "NAME" not in path] = text
    return found


def _check(kind: str, name: str) -> None:
    """Refuse a name that cannot be that of a module, or is that of another one."""
    if not re.fullmatch("[a-z][a-z0-9_]*", name) or iskeyword(name):
        raise ValueError(
            f"name={name}: becomes a module; allowed: small letters, digits and _, a letter first,"
            " and no word of Python's own"
        )
    if kind != "paper" and not Path(f"{name}.py").exists() and find_spec(name) is not None:
        raise ValueError(
            f"name={name}: Python has a module of that name, and would take it; choose another"
        )


def _year(name: str) -> int:
    """Return the year that a paper's name ends with, or this one."""
    year = re.search(r"(?:19|20)\d\d$", name)
    return int(year[0]) if year else datetime.now(UTC).year
