"""What folders of runs call the data."""

import pytest

from moebench.evidence.data_name import LONGEST, data_name

FILES = "moebench.data.sources.Files"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"source": {"class_path": FILES, "init_args": {"path": "a/my texts/"}}}, "my_texts"),
        ({"source": {"class_path": FILES, "init_args": {"path": "../.hidden.txt"}}}, "hidden.txt"),
        ({"source": {"class_path": FILES, "init_args": {"path": "t" * 99}}}, "t" * LONGEST),
        ({"source": {"class_path": "moebench.data.sources.Packages"}}, "Packages"),
        ({"world": {"class_path": "Recall", "init_args": {"facts": 8}}}, "Recall"),
        ({}, "Vowels"),
    ],
)
def test_data_have_the_name_that_a_person_gives_them(data: dict[str, object], name: str) -> None:
    config = {"data": {"class_path": "their.Vowels", "init_args": data}}
    assert data_name(config) == name


def test_a_function_has_no_data() -> None:
    assert data_name({"function": "module:name"}) == "no_data"
