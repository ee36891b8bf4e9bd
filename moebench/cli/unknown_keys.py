"""Keys that no configuration has, told before what checks all of them is imported.

That takes seconds, and looks at every key; here are those at the top, and those of the trainer.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from moebench.cli.trainer_keys import trainer_options
from moebench.papers.nearest import nearest
from moebench.papers.yaml_files import naming_file, read_yaml

TOP = ("seed_everything", "model", "data", "trainer")
PRINTED = "print_config"


def refuse_unknown(files: Sequence[Path], words: Sequence[str], options: Sequence[str]) -> None:
    """Refuse a key that no configuration has.

    Args:
        files: of the configuration.
        words: of the command line that are left when the options are taken.
        options: that there are beside the keys.

    Raises:
        ValueError: naming the nearest, and the file that has it.
    """
    found = [re.match(r"--([\w.-]+)", word) for word in words]
    _refuse(
        [one[1] for one in found if one],
        [*TOP, PRINTED, *(option.strip("-") for option in options)],
    )
    for path in files:
        content = read_yaml(path)
        inside = content.get("trainer")
        keys = [f"trainer.{key}" for key in inside] if isinstance(inside, Mapping) else []
        with naming_file(path):
            _refuse([*content, *keys], TOP)


def _refuse(keys: Sequence[str], known: Sequence[str]) -> None:
    """Refuse keys of which the first word is unknown, or the second one behind `trainer`."""
    for key in keys:
        top, _, inner = key.partition(".")
        if top not in known:
            raise ValueError(f"{top}: no such key; {nearest(top, known)}")
        name = inner.partition(".")[0]
        if top == "trainer" and name and name not in (there := trainer_options()):
            near = nearest(name, there)
            raise ValueError(f"trainer.{name}: no such key; {near}; --help=trainer shows them")
