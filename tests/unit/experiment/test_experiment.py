"""From YAML to objects: what is merged, what is refused and how, what the hash depends on."""

import gc
import weakref
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch

from moebench.experiment import ConfigurationError, explain, load, parse, read_yaml
from moebench.moe.capacity.limit import Limited
from moebench.moe.routers import Switch

CONFIG = Path(__file__).parents[2] / "configs" / "tiny_2026" / "switch_8.yaml"
NETWORK = "model.network.init_args"
ROUTER = f"{NETWORK}.sparse.router.init_args"


def test_later_files_and_single_keys_lie_over_earlier_ones(tmp_path: Path) -> None:
    over = tmp_path / "over.yaml"
    over.write_text("# over\ntrainer: {max_steps: 70}\nmodel: {warmup_steps: 9}\n")
    config = load([CONFIG, over], {"trainer.max_steps": 80}, seed=3).config
    assert config["trainer"]["max_steps"] == 80
    assert config["model"]["warmup_steps"] == 9
    assert config["seed_everything"] == config["data"]["init_args"]["seed"] == 3
    assert config["model"]["vocabulary"] == config["data"]["init_args"]["vocabulary"]


def test_the_hash_is_of_what_decides_the_result() -> None:
    base = load([CONFIG])
    assert load([CONFIG], seed=5).hash == base.hash == base.with_seed(5).hash
    assert load([CONFIG], {"trainer.max_steps": 80}).hash != base.hash
    assert load([CONFIG], {f"{ROUTER}.capacity.factor": 2.0}).hash != base.hash


def test_the_resolved_configuration_is_a_configuration(tmp_path: Path) -> None:
    experiment = load([CONFIG], {f"{ROUTER}.capacity.factor": 2.0}, seed=4)
    written = tmp_path / "config.yaml"
    written.write_text(experiment.to_yaml())
    assert parse([f"--config={written}"]) == experiment


def test_building_does_not_change_the_experiment() -> None:
    experiment = load([CONFIG])
    before = experiment.to_yaml()
    experiment.build(logger=False, callbacks=[])
    assert experiment.to_yaml() == before


def test_every_build_makes_objects_of_its_own_and_keeps_none() -> None:
    """The configuration is checked once for several builds; nothing else may be left of them."""
    experiment = load([CONFIG])
    first, data, trainer = experiment.build(logger=False, callbacks=[pl.Callback()])
    second, other_data, plain = experiment.build(logger=False)
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)
        assert one.data_ptr() != other.data_ptr()
    assert data is not other_data
    assert len(plain.callbacks) == len(trainer.callbacks) - 1
    gone = weakref.ref(second)
    del second, other_data, plain, other
    gc.collect()
    assert gone() is None


def test_a_loss_without_a_name_resolves_as_before_there_were_names() -> None:
    term = {"loss": "LoadBalance", "weight": 0.5}
    [found] = load([CONFIG], {"model.losses": [term]}).config["model"]["losses"]
    assert sorted(found) == ["loss", "weight"]
    both = load([CONFIG], {"model.losses": [term, {**term, "name": "second"}]})
    assert [one.get("name") for one in both.config["model"]["losses"]] == [None, "second"]
    model, _, _ = both.build(logger=False)
    assert [one.label for one in model.losses.terms] == ["LoadBalance", "second"]
    with pytest.raises(ConfigurationError, match="2 of them are named LoadBalance"):
        load([CONFIG], {"model.losses": [term, term]}).build(logger=False)


def test_parts_are_built_as_written() -> None:
    settings = {f"{ROUTER}.router.init_args.num_experts": 3, f"{ROUTER}.capacity.factor": 2.5}
    model, _, _ = load([CONFIG], settings).build(logger=False)
    [router] = [module for module in model.modules() if isinstance(module, Limited)][:1]
    assert isinstance(router.router, Switch)
    assert router.num_experts == 3
    assert router.capacity.factor == 2.5


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        (f"{ROUTER}.router", "Swich", ["sparse.router.router", "Swich", "the nearest: Switch"]),
        (f"{ROUTER}.router.init_args.num_expert", 3, ["'num_expert'", "the nearest: num_experts"]),
        (f"{ROUTER}.capacity.factr", 3, ["factr", "the nearest: factor"]),
        (f"{ROUTER}.capacity.factor", -3, ["capacity.factor=-3", "above 0"]),
        (f"{ROUTER}.router.init_args.num_experts", 0, ["num_experts=0", "at least 1"]),
        ("trainer.max_stepz", 3, ["trainer.max_stepz", "the nearest: max_steps"]),
        ("trainer.precision", "foo", ["trainer.precision=foo", "bf16"]),
        ("data.init_args.source", "Packagez", ["data.source", "Packagez", "Packages"]),
        ("modl", 3, ["modl", "the nearest: model"]),
        (
            f"{NETWORK}.sparse.router",
            "moebench.moe.routers.Swich",
            ["has no class Swich", "Switch"],
        ),
        (
            f"{NETWORK}.sparse.router",
            "nowhere.Mine",
            ["module nowhere is neither in the current folder nor installed"],
        ),
        (f"{NETWORK}.sparse.router", "__main__.Mine", ["is in the program itself"]),
        (f"{NETWORK}.shape.heads", 5, ["heads=5", "64"]),
        (f"{NETWORK}.shape.heds", 5, ["heds", "the nearest: heads"]),
        (f"{NETWORK}.sparse.every", 0, ["every=0", "at least 1"]),
        ("model.losses", [{"loss": "LodBalance"}], ["LodBalance", "LoadBalance"]),
        ("model.losses", [{"loss": "Swich"}], ["Swich", "such as DeviceBalance, "]),
        (
            f"{ROUTER}.router",
            {"class_path": "TopK", "init_args": {"num_experts": 2, "k": 5}},
            ["k=5", "num_experts=2"],
        ),
    ],
)
def test_bad_input_is_one_line_with_key_value_and_what_is_allowed(
    key: str, value: object, words: list[str]
) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        load([CONFIG], {key: value}).build(logger=False)
    message = str(refusal.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message


@pytest.mark.parametrize("key", ["trainer.max_step", "seed_every", "model.los"])
def test_the_beginning_of_a_key_is_no_key(key: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"unrecognized arguments: --{key}=3; the near"):
        load([CONFIG], {key: 3})


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.yaml"):
        load([Path("nowhere.yaml")])


def test_the_files_nearest_to_a_missing_one_are_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"switch_9\.yaml: no such file; the nearest: swit"):
        read_yaml(CONFIG.with_name("switch_9.yaml"))


def test_a_part_of_somebody_elses_package_joins_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "somebodys_pkg.py").write_text(
        "from moebench.moe.routers.switch import Switch\n"
        "from torch import nn\n"
        "class TheirRouter(nn.Module):\n"
        "    def __init__(self, dim: int, num_experts: int, taste: str = 'plain') -> None:\n"
        "        super().__init__()\n"
        "        self.num_experts, self.taste = num_experts, taste\n"
        "        self.inner = Switch(dim, num_experts)\n"
        "    def forward(self, x_TD):\n"
        "        return self.inner(x_TD)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    theirs = {
        "class_path": "somebodys_pkg.TheirRouter",
        "init_args": {"num_experts": 4, "taste": "odd"},
    }
    model, _, _ = load([CONFIG], {f"{NETWORK}.sparse.router": theirs}).build(logger=False)
    tastes = {module.taste for module in model.modules() if hasattr(module, "taste")}
    assert tastes == {"odd"}


@pytest.mark.parametrize(
    ("key", "allowed", "other"),
    [
        (f"{NETWORK}.sparse.router", "AllExperts", "Grouped"),
        (f"{NETWORK}.sparse.dispatcher", "Grouped", "Switch"),
        ("data", "Text", "Switch"),
    ],
)
def test_a_name_that_is_none_is_answered_with_the_parts_of_its_key(
    key: str, allowed: str, other: str
) -> None:
    with pytest.raises(ConfigurationError, match="no class or module is called nope") as refusal:
        load([CONFIG], {key: "nope"})
    assert allowed in str(refusal.value)
    assert other not in str(refusal.value)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("not_parts.function", ["is of type function, not a class"]),
        ("not_parts.returns_a_module", ["is of type function, not a class"]),
        ("not_parts.number", ["is of type int, not a class"]),
        ("not_parts.NoModule", ["is not a Module"]),
        ("not_parts.Abstract", ["is an abstract class, which lacks forward"]),
        ("not_parts.Lacking", ["arguments are required: more", "allowed: dim, more"]),
        ("imports_nothing.Part", ["module imports_nothing cannot be imported", "'not_there'"]),
        ("cannot_be_read.Part", ["module cannot_be_read cannot be imported", "SyntaxError"]),
        ("raises.Part", ["module raises cannot be imported", "RuntimeError: too early"]),
    ],
)
def test_what_is_no_part_is_refused_with_key_name_and_reason(
    path: str, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "not_parts.py").write_text(
        "from abc import ABC, abstractmethod\n"
        "from torch import nn\n"
        "number = 3\n"
        "def function(dim): return nn.Linear(dim, 4)\n"
        "def returns_a_module(dim: int) -> nn.Linear: return nn.Linear(dim, 4)\n"
        "class NoModule:\n"
        "    def __init__(self, dim: int) -> None: ...\n"
        "class Abstract(nn.Module, ABC):\n"
        "    def __init__(self, dim: int) -> None: ...\n"
        "    @abstractmethod\n"
        "    def forward(self, x_TD): ...\n"
        "class Lacking(nn.Module):\n"
        "    def __init__(self, dim: int, more: int) -> None: ...\n"
    )
    (tmp_path / "imports_nothing.py").write_text("import not_there\n")
    (tmp_path / "cannot_be_read.py").write_text("def part(:\n")
    (tmp_path / "raises.py").write_text("raise RuntimeError('too early')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigurationError) as refusal:
        load([CONFIG], {f"{NETWORK}.sparse.router": path})
    message = str(refusal.value)
    assert "\n" not in message
    for word in ["sparse", f"={path}: ", *words, "allowed: "]:
        assert word in message, message


def test_an_explanation_of_something_unknown_is_the_message_itself() -> None:
    assert explain("the moon is full") == "the moon is full"


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("modle.losses", 1, "the nearest: model"),
        ("trainer.max_steps", "many", "expected a whole number"),
        ("model.losses", {"loss": "LoadBalance"}, "expected a list"),
    ],
)
def test_a_wrong_key_or_kind_is_told_in_plain_words(key: str, value: object, told: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{key}.*{told}$"):
        load([CONFIG], {key: value})
