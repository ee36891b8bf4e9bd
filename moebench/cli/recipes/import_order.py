"""The imports of a module in the order that ruff asks for, which depends on where the file lies."""

import sys
from collections.abc import Collection


def with_sorted_imports(text: str, own: Collection[str]) -> str:
    """Return a module with its imports sorted and grouped: Python's, installed ones, one's own.

    Args:
        text: of a module whose imports are single lines at the top level, and all together.
        own: packages and modules that lie in the folder of the file.
    """
    lines = text.split("\n")
    places = [i for i, line in enumerate(lines) if line.startswith(("import ", "from "))]
    if not places:
        return text
    groups: dict[int, list[str]] = {}
    for place in places:
        groups.setdefault(_group(lines[place], own), []).append(lines[place])
    blocks = ["\n".join(sorted(group, key=_key)) for _, group in sorted(groups.items())]
    lines[places[0] : places[-1] + 1] = ["\n\n".join(blocks)]
    return "\n".join(lines)


def _group(line: str, own: Collection[str]) -> int:
    """Return the place of the group that an import belongs to."""
    package = line.split()[1].partition(".")[0]
    return 0 if package in sys.stdlib_module_names else 2 if package in own else 1


def _key(line: str) -> tuple[bool, str]:
    """Return what an import is sorted by within its group."""
    word, module, *_ = line.split()
    return word == "from", module
