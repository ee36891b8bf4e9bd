"""Whatever is varied, the configuration is the one that its files and settings give."""

import json
from pathlib import Path
from typing import Any

import pytest

from moebench.experiment import load, variations
from moebench.experiment.listed_keys import value_at, whole_lists
from moebench.experiment.variations import Variations

FILE = Path(__file__).parents[2] / "configs" / "tiny_2026" / "switch_8.yaml"
SPARSE = "model.network.init_args.sparse"
ROUTER = f"{SPARSE}.router.init_args"
LR = "model.optimizer.init_args.lr"
ADAM = {"class_path": "torch.optim.Adam", "init_args": {"lr": 0.1}}

Pairs = list[tuple[str, Any]]


@pytest.fixture(scope="module")
def around() -> Variations:
    """The experiments around one with an optimizer of its own."""
    found = Variations([FILE], {"model.optimizer": {**ADAM, "init_args": {"lr": 0.5}}})
    assert found.base.config["model"]["optimizer"]["init_args"]["lr"] == 0.5
    return found


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every call of `load` from here on."""
    seen: list[object] = []

    def counted(*given: Any) -> Any:
        seen.append(given)
        return load(*given)

    monkeypatch.setattr(variations, "load", counted)
    return seen


def loaded(around: Variations, pairs: Pairs) -> str:
    """The configuration that `load` gives."""
    settings = {**around._settings, **whole_lists(pairs, around.base.config)}
    return json.dumps(load([FILE], settings).config)


@pytest.mark.parametrize(
    "pairs",
    [
        [(f"{ROUTER}.capacity.factor", 2), ("model.losses.0.weight", 1)],
        [(f"{ROUTER}.capacity.group", 16), (f"{ROUTER}.router.init_args.jitter", 0)],
        [("trainer.gradient_clip_val", 1), ("model.network.init_args.dropout", 0.5)],
        [("trainer.max_steps", 7), ("trainer.val_check_interval", 7), ("trainer.precision", 32)],
        [("data.init_args.batch_size", 3), (LR, 1e-3)],
        [("model.optimizer.init_args.betas.1", 0.5), (f"{SPARSE}.every", 1)],
        [("model.optimizer.init_args.amsgrad", True)],
    ],
    ids=str,
)
def test_numbers_need_no_file(around: Variations, loads: list[object], pairs: Pairs) -> None:
    made = around.at(pairs)
    assert not loads
    assert json.dumps(made.config) == loaded(around, pairs)
    assert made.config != around.base.config


@pytest.mark.parametrize(
    "pairs",
    [
        [("data.init_args.vocabulary", 300)],  # the model has it as well
        [(f"{ROUTER}.router", {"class_path": "Switch"}), (LR, 0.25)],
        [(LR, 0.25), ("model.optimizer", ADAM)],
        [("model.optimizer", ADAM), (LR, 0.25)],
        [("model.network.sparse.every", 1)],  # as a person may write it
        [("trainer.gradient_clip_val", None), ("trainer.max_steps", 60)],
        [("trainer.gradient_clip_val", 1.0), ("trainer.gradient_clip_val", None)],
        [("trainer.gradient_clip_algorithm", "value"), ("trainer.gradient_clip_val", 1.0)],
        [(f"{ROUTER}.eval_capacity.factor", 2.0)],
    ],
    ids=str,
)
def test_what_may_change_more_comes_out_the_same(around: Variations, pairs: Pairs) -> None:
    def text(made: Any) -> str:
        try:
            return str(made())
        except ValueError as error:
            return str(error)

    expected = text(lambda: loaded(around, pairs))
    assert text(lambda: json.dumps(around.at(pairs).config)) == expected


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        (f"{ROUTER}.capacity.factor", None, "factor"),
        ("model.warmup_steps", 1.5, "warmup_steps"),
        ("trainer.max_steps", -2, "trainer.max_steps=-2"),
        ("trainer.devices", 0, "trainer.devices=0"),
        ("model.losses.0.wait", 1, "there is no wait"),
        ("model.losses.-1.weight", 1, "losses"),
        (f"{ROUTER}.capacity.minimum", 1.5, "minimum"),
        (f"{SPARSE}.every", 1.5, "every"),
        ("model.losses.0.weight", "much", "weight"),
    ],
)
def test_what_load_refuses_is_refused(
    around: Variations, key: str, value: object, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        around.at([(key, value)])


def test_a_class_that_is_varied_is_read_once(around: Variations, loads: list[object]) -> None:
    before = json.dumps(around.base.config)
    rates = [0.125, 0.25, 0.5]
    made = [around.at([("trainer.profiler", "simple"), (LR, rate)]) for rate in rates]
    assert len(loads) == 1
    assert [value_at(one.config, LR.split("."), LR) for one in made] == rates
    assert json.dumps(around.base.config) == before
