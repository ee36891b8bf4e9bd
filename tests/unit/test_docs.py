"""Every step of the walks through the code names a file, and something that is in it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/architecture.md").read_text()
STEP = re.compile(r"^\d+\. `([^`]+)`(?:, `(\w+)`)?: ", re.MULTILINE)
STEPS = STEP.findall(PAGE)


@pytest.mark.parametrize(("path", "name"), STEPS, ids=lambda value: value)
def test_a_step_is_in_the_code(path: str, name: str) -> None:
    text = (ROOT / path).read_text()
    assert not name or re.search(rf"(?m)^\s*(def|class) {name}\b|^{name}\b[^=\n]* = ", text)


def test_a_walk_has_ten_steps_at_most() -> None:
    walks = [STEP.findall(part) for part in PAGE.split("\n## ")[1:]]
    assert len(walks) == 4
    assert all(0 < len(walk) <= 10 for walk in walks)
