"""What a caller got wrong is one line that names the argument and what is allowed."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import moebench
from moebench.api.refusing import checking, root_of

CASES = [
    ("reproduce", {"paper": "tiny", "seeds": 1.5}, "seeds=1.5: must be a whole number or None"),
    ("reproduce", {"paper": "tiny", "seeds": "3"}, "seeds='3': must be a whole number or None"),
    ("reproduce", {"paper": "tiny", "workers": True}, "workers=True: must be a whole number or"),
    ("reproduce", {"paper": "tiny", "time_limit": "x"}, "time_limit='x': must be a number"),
    ("reproduce", {"paper": None}, "paper=None: must be text"),
    ("sweep", {"file": {}}, "file={}: must be text or a path"),
    ("sweep", {"file": "s.yaml", "root": 3}, "root=3: must be text or a path"),
    ("fit", {"config": 3}, "config=3: must be text or a path or a list or a dict"),
    ("fit", {"config": "c.yaml", "settings": "a=3"}, "settings='a=3': must be a dict or None"),
    ("fit", {"config": "c.yaml", "name": 3}, "name=3: must be text"),
    ("compare", {"tags": ["best"]}, r"tags=['best']: must be a dict or None"),
    ("compare", {"since": 3}, "since=3: must be text"),
    ("records", {"of": None}, "of=None: must be text or a path"),
    ("records", {"of": ""}, "target=: unknown"),
    ("records", {"of": "."}, "of=.: has no records of runs"),
    ("verdicts", {"paper": 3}, "paper=3: must be text"),
    ("open_model", {"path": None}, "path=None: must be text or a path"),
]


@pytest.mark.parametrize(("function", "given", "told"), CASES)
def test_an_argument_of_another_kind(
    function: str, given: dict[str, object], told: str, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=f"^{re.escape(told)}"):
        getattr(moebench, function)(**given)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("function", ["reproduce", "fit", "compare"])
def test_a_root_that_is_a_file(function: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text\n")
    given: dict[str, list[Any]] = {"reproduce": ["switch", "smoke"], "fit": [{}], "compare": []}
    with pytest.raises(ValueError, match=r"^root: '.*file': is a file; it takes a folder"):
        getattr(moebench, function)(*given[function], root=tmp_path / "file")


def test_a_root_that_cannot_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    assert root_of(tmp_path) == tmp_path
    with pytest.raises(ValueError, match="cannot be written to"):
        root_of(tmp_path, writing=True)


def test_numbers_of_numpy_are_numbers() -> None:
    @checking
    def half(count: int, share: float = 0.5) -> float:
        return count * share

    loose: Any = half
    assert loose(np.int64(3), np.float32(0.5)) == half(3) == 1.5
