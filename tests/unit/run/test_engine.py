"""Engines by name: what there is not, and what is not installed."""

import pytest

from moebench.run import engines
from moebench.run.execution import Execution


def lacking(workers: int) -> engines.Engine:
    raise ModuleNotFoundError("No module named 'cloud'", name="cloud")


def test_an_engine_that_there_is_not_is_named_beside_those_that_there_are() -> None:
    with pytest.raises(ValueError, match="engine=lokal: unknown; the nearest: local"):
        Execution(engine="lokal")


def test_an_engine_that_is_not_installed_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(engines.ENGINES, "cloud", lacking)
    with pytest.raises(ValueError, match=r'engine=cloud: needs cloud; `pip install "moebench\[cl'):
        Execution(engine="cloud").start()


@pytest.mark.parametrize(
    ("wrong", "words"), [({"workers": 0}, "workers=0"), ({"time_limit": 0.0}, "time_limit=0")]
)
def test_no_workers_and_no_time_are_refused(wrong: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Execution(**wrong)
