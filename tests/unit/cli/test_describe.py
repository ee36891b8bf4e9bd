"""`moebench data` describes any data module that has a description."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from moebench.cli import describe
from moebench.data.synthetic import Synthetic, Uniform


@pytest.fixture
def configs(tmp_path: Path) -> list[Path]:
    """Files of a configuration; what they build is replaced."""
    (path := tmp_path / "own.yaml").write_text("data: Own\n")
    return [path]


@pytest.fixture
def data_of_config(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Set the data module that the configuration builds."""

    def set_data(data: Any) -> None:
        built = SimpleNamespace(build=lambda logger: (None, data, None))
        monkeypatch.setattr(describe, "load", lambda configs: built)

    return set_data


class Described:
    """A custom data module."""

    description = "all about it"


def test_a_custom_module_is_described(
    configs: list[Path], data_of_config: Callable[[Any], None]
) -> None:
    data_of_config(Described())
    assert describe.text_of(configs, {}, None, 300).description == "all about it"


def test_a_module_without_a_description_is_refused(
    configs: list[Path], data_of_config: Callable[[Any], None]
) -> None:
    data_of_config(Synthetic(Uniform(8)))
    with pytest.raises(ValueError, match=r"data=Synthetic: has no description to print, see "):
        describe.text_of(configs, {}, None, 300)
