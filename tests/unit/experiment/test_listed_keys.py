"""Keys into lists become whole lists."""

import pytest

from moebench.experiment.listed_keys import whole_lists

CONFIG = {"model": {"losses": [{"loss": "A", "weight": 1.0}, {"loss": "B", "weight": 2.0}]}}


def test_values_of_a_list_are_changed_one_over_the_other() -> None:
    first, second = ("model.losses.0.weight", 0.5), ("model.losses.1", {"loss": "C"})
    found = whole_lists([first, ("a.b", 3), second, ("model.losses.1.loss", "D")], CONFIG)
    assert found == {"model.losses": [{"loss": "A", "weight": 0.5}, {"loss": "D"}], "a.b": 3}
    assert CONFIG["model"]["losses"][0]["weight"] == 1.0


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("model.losses.2.weight", "2 is not an index into a list of 2"),
        ("model.losses.x.0", "x is not an index into a list of 2"),
        ("model.loses.0.weight", "there is no loses; the nearest: losses"),
        ("model.losses.0.wait", "there is no wait"),
        ("model.losses.0.weight.0", "there is no 0"),
    ],
)
def test_a_key_that_leads_nowhere_is_refused(key: str, words: str) -> None:
    with pytest.raises(ValueError, match=rf"^{key}: (.*; )?{words}"):
        whole_lists([(key, 1)], CONFIG)
