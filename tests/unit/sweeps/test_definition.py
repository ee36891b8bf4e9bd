"""What a sweep file may say, and what is refused in one line."""

import json
from pathlib import Path

import pytest
from optuna.samplers import RandomSampler

from moebench.experiment.listed_keys import whole_lists
from moebench.sweeps import read_sweep
from moebench.sweeps.identity import differences, of_space
from moebench.sweeps.space import settings_at
from moebench.sweeps.space_file import read_space
from moebench.sweeps.strategies import Part, draw, make_pruner, make_sampler, read_part, try_out

ROUTER = "model.network.init_args.sparse.router.init_args"
FACTOR = f"{ROUTER}.capacity.factor"


def test_a_grid_has_both_ends() -> None:
    space = read_space(
        {
            "a": {"key": "x", "low": 0.0, "high": 0.3, "step": 0.1},
            "b": {"key": "y", "low": 2, "high": 4},
            "c": {"key": "z", "values": ["p", "q"]},
        }
    )
    assert space[0].grid == pytest.approx([0.0, 0.1, 0.2, 0.3])
    assert list(space[1].grid) == [2, 3, 4]


def test_of_numbers_of_a_type_one_is_tried_out() -> None:
    """All that the types of a configuration tell apart, and the bounds of the trainer."""
    listed, mixed = [8, 16, 32], [2, 2.5, "a", "b", True]
    space = read_space(
        {
            "range": {"key": "x", "low": 0.5, "high": 2.0},
            "typed": {"key": "y", "low": 1, "high": 2.5},
            "listed": {"key": "z", "values": listed},
            "mixed": {"key": "u", "values": mixed},
            "bounds": {"key": "trainer.max_steps", "values": listed},
            "choices": {"key": "v", "choices": {n: {"w": str(n)} for n in listed}},
        }
    )
    assert [len(dimension.tried) for dimension in space] == [1, 2, 1, 5, 3, 3]
    assert list(space[3].tried) == mixed


def test_a_key_into_a_list_gives_the_whole_list() -> None:
    config = {"model": {"losses": [{"loss": "A", "weight": 1.0}, {"loss": "B", "weight": 2.0}]}}
    space = read_space(
        {
            "first": {"key": "model.losses.0.weight", "values": [0.5]},
            "second": {"key": "model.losses.1.weight", "values": [0.25]},
            "plain": {"key": ["a.b", "c"], "values": [3]},
        }
    )
    point = {"first": 0.5, "second": 0.25, "plain": 3}
    assert whole_lists(settings_at(point, space), config) == {
        "model.losses": [{"loss": "A", "weight": 0.5}, {"loss": "B", "weight": 0.25}],
        "a.b": 3,
        "c": 3,
    }
    assert config["model"]["losses"][0]["weight"] == 1.0


def test_a_choice_sets_several_keys_at_once() -> None:
    grain = {1: {"router.experts": 8, "hidden": 128}, 2: {"router.experts": 16, "hidden": 64}}
    losses = {"none": {"0": {"loss": "A"}}, "two": {"0": {"loss": "B"}, "1.weight": 2.0}}
    space = read_space(
        {
            "grain": {"key": "model.sparse", "choices": grain},
            "losses": {"key": "model.losses", "choices": losses},
        }
    )
    assert list(space[0].grid) == [1, 2]
    config = {"model": {"losses": [{"loss": "X"}, {"loss": "Y", "weight": 1.0}]}}
    found = whole_lists(settings_at({"grain": 2, "losses": "two"}, space), config)
    assert found == {
        "model.sparse.router.experts": 16,
        "model.sparse.hidden": 64,
        "model.losses": [{"loss": "B"}, {"loss": "Y", "weight": 2.0}],
    }
    assert losses["two"]["0"] == {"loss": "B"}, "the file's own map stays as it is"
    changed = read_space({"grain": {"key": "model.sparse", "choices": {**grain, 2: {"hidden": 1}}}})
    assert differences(of_space(space[:1]), of_space(changed))


def test_null_is_a_value_like_any_other() -> None:
    space = read_space({"clip": {"key": "trainer.gradient_clip_val", "values": [None, 1.0]}})
    points = draw(read_part("sampler", "GridSampler"), space, 2)
    found = [dict(settings_at(point, space)) for point in points]
    assert {"trainer.gradient_clip_val": None} in found


@pytest.mark.parametrize("key", ["model.experts", "model.experts.hidden", "model"])
def test_two_names_cannot_set_one_key(key: str) -> None:
    space = {
        "grain": {"key": "model", "choices": {1: {"experts": 8}, 2: {"width": 3}}},
        "other": {"key": key, "values": [4]},
    }
    with pytest.raises(ValueError, match=rf"space\.other: space\.grain also sets {key}"):
        read_space(space)
    assert read_space({**space, "other": {"key": "model.expert", "values": [4]}})


def test_tuning_lies_over_the_point_in_the_same_list(sweep_file) -> None:
    weight = {"key": "model.losses.0.weight", "values": [0.5]}
    losses = [{"loss": "LoadBalance", "weight": 0.1}, {"loss": "ZLoss", "weight": 0.1}]
    file = sweep_file(
        {"model.losses": losses},
        space={"weight": weight},
        tuning={"z": {"key": "model.losses.1.weight", "values": [0.25]}},
    )
    made = read_sweep(file).at({"weight": 0.5}, {"z": 0.25})
    assert [loss["weight"] for loss in made.config["model"]["losses"]] == [0.5, 0.25]


@pytest.mark.parametrize("name", [" ", "a\nb", "..", "a/b", "x" * 300])
def test_a_name_that_no_folder_can_have_is_refused(name: str, sweep_file) -> None:
    with pytest.raises(ValueError, match=r"sweep\.yaml: name=.*: names a folder"):
        read_sweep(sweep_file(), name)


@pytest.mark.parametrize("name", ["GridSampler", "QMCSampler", "RandomSampler"])
def test_points_drawn_at_the_start_do_not_depend_on_their_number(name: str) -> None:
    space = read_space({"a": {"key": "x", "low": 0.0, "high": 1.0, "step": 0.25}})
    sampler = read_part("sampler", name)
    assert draw(sampler, space, 5)[:3] == draw(sampler, space, 3)


def test_a_grid_is_drawn_whole() -> None:
    space = read_space(
        {"a": {"key": "x", "values": [1, 2, 4]}, "b": {"key": "y", "low": 1, "high": 2}}
    )
    points = draw(read_part("sampler", "GridSampler"), space, 6)
    assert sorted((p["a"], p["b"]) for p in points) == [(a, b) for a in (1, 2, 4) for b in (1, 2)]


@pytest.mark.parametrize(
    "name",
    ["TPESampler", "GPSampler", "NSGAIISampler", "NSGAIIISampler", "QMCSampler", "RandomSampler"],
)
def test_samplers_of_optuna_have_short_names(name: str) -> None:
    space = read_space({"a": {"key": "x", "low": 0.0, "high": 1.0}})
    made = make_sampler(read_part("sampler", {"class_path": name}), space, 3)
    assert type(made).__name__ == name
    full = read_part("sampler", f"optuna.samplers.{name}")
    assert full.made is type(made)


class Wanting(RandomSampler):
    """Needs what is not there once it is to learn from results."""

    def sample_independent(self, study, trial, name, distribution):
        if trial.number:
            raise ImportError("No module named 'nowhere'")
        return super().sample_independent(study, trial, name, distribution)


class OneGoal(RandomSampler):
    """Cannot do with several objectives."""

    def sample_independent(self, study, trial, name, distribution):
        study.direction  # noqa: B018 - raises
        return super().sample_independent(study, trial, name, distribution)


def test_a_sampler_is_tried_out_before_anything_is_begun() -> None:
    space = read_space({"a": {"key": "x", "low": 0.0, "high": 1.0}})
    try_out(read_part("sampler", "TPESampler"), space, ["minimize", "maximize"])
    with pytest.raises(ValueError, match=r"sampler=Wanting: needs a package .*nowhere"):
        try_out(Part(Wanting), space, ["minimize"])
    try_out(Part(OneGoal), space, ["minimize"])
    with pytest.raises(ValueError, match="sampler=OneGoal: "):
        try_out(Part(OneGoal), space, ["minimize", "minimize"])


@pytest.mark.parametrize("name", ["HyperbandPruner", "MedianPruner", "WilcoxonPruner", "NopPruner"])
def test_pruners_of_optuna_have_short_names(name: str, tiny) -> None:
    made = make_pruner(read_part("pruner", name), tiny("switch_8.yaml"))
    assert type(made).__name__ == name


def space_with(**changes: object) -> dict[str, object]:
    """A space of one name."""
    return {"space": {"factor": {"key": FACTOR, "low": 1.0, "high": 2.0, **changes}}}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (space_with(low=3.0), ["space.factor", "low=3.0", "high=2.0"]),
        (space_with(low="one"), ["space.factor.low=one", "a number"]),
        (space_with(low=0.0, log=True), ["space.factor", "low=0.0", "low > 0"]),
        (space_with(values=[1.0]), ["space.factor", "either values, choices, or low and high"]),
        ({"space": {"f": {"key": FACTOR}}}, ["space.f", "either values, choices, or low and high"]),
        ({"space": {"f": {"key": FACTOR, "choices": [1]}}}, ["space.f.choices=[1]", "a map"]),
        ({"space": {"f": {"key": FACTOR, "choices": {1: 2}}}}, ["space.f.choices.1=2", "keys"]),
        (
            {"space": {"f": {"key": ROUTER, "choices": {1: {"capacity.factr": 2}}}}},
            ["capacity.factr"],
        ),
        (space_with(stap=1), ["space.factor.stap", "step"]),
        (space_with(step="0.1"), ["space.factor.step=0.1", "a number"]),
        (space_with(low=1, high=4, step=0.5), ["space.factor.step=0.5", "write 1.0"]),
        (space_with(log="yes"), ["space.factor.log=yes", "true or false"]),
        (space_with(key=[]), ["space.factor.key=[]", "a configuration key"]),
        (
            {"space": {"factor": {"key": FACTOR, "values": [0.0, 1.0], "log": True}}},
            ["space.factor.log", "only for a range"],
        ),
        ({"sampler": "BruteForceSampler"}, ["sampler=BruteForceSampler", "GridSampler"]),
        (
            {"sampler": {"class_path": "TPESampler", "init_args": {"seed": None}}},
            ["sampler.init_args.seed=None", "a whole number"],
        ),
        (
            {"sampler": {"class_path": "TPESampler", "init_args": 5}},
            ["sampler.init_args=5", "keys and values"],
        ),
        (space_with(key="model.network.init_args.sparce"), ["sparce"]),
        (space_with(key="model.losses.3.weight"), ["model.losses.3.weight", "list of 1"]),
        (space_with(key="model.losses.0.wait"), ["model.losses.0.wait", "there is no wait"]),
        (space_with(key="trainer.max_steps", low=1.5), ["trainer.max_steps"]),
        ({"spce": {}}, ["spce: unknown", "space"]),
        ({"space": {}}, ["space: missing or empty"]),
        ({"objectives": {"valid/loss": "down"}}, ["objectives.valid/loss=down", "minimize"]),
        ({"sampler": "TPESampeler"}, ["sampler=TPESampeler", "TPESampler"]),
        (
            {"sampler": {"class_path": "TPESampler", "init_args": {"sed": 1}}},
            ["sampler.init_args.sed", "seed"],
        ),
        ({"sampler": "GridSampler"}, ["space.factor", "a grid needs values or a step"]),
        ({"pruner": "MedianPrunner"}, ["pruner=MedianPrunner", "MedianPruner"]),
        ({"pruner": "WilcoxonPruner"}, ["seeds=1", "2 or more"]),
        (
            {"pruner": "MedianPruner", "objectives": {"route/dropped": "minimize"}},
            ["pruner=MedianPruner", "valid/loss"],
        ),
        ({"trials": 0}, ["trials=0"]),
        ({"constraints": {"route/dropped": "few"}}, ["constraints.route/dropped=few", "a number"]),
        ({"enqueue": [{"factr": 1.5}]}, ["enqueue.0.factr", "factor"]),
        ({"enqueue": [{"factor": 99.0}]}, ["enqueue.0: factor=99.0"]),
        ({"enqueue": [{"factor": 1.5}] * 5}, ["enqueue: 5 points for 4 trials"]),
        ({"seeds": 1.5}, ["seeds=1.5"]),
        ({"baselines": ["flops"]}, ["baselines=flops", "active_flops, total_params, step_time"]),
        ({"surface": ["factor", "wait"]}, ["surface=wait", "the nearest: weight"]),
        ({"experiment": "nowhere.yaml"}, ["nowhere.yaml"]),
    ],
)
def test_refusals(changes: dict[str, object], words: list[str], sweep_file) -> None:
    with pytest.raises((ValueError, FileNotFoundError)) as refused:
        read_sweep(sweep_file(**changes))
    for word in words:
        assert word in str(refused.value)


def test_a_grid_decides_the_number_of_trials(sweep_file) -> None:
    space = {"factor": {"key": FACTOR, "values": [1.0, 1.5, 2.0]}}
    given = {"space": space, "sampler": "GridSampler"}
    with pytest.raises(ValueError, match="trials=4: the grid has 3 points"):
        read_sweep(sweep_file(**given, trials=4))
    assert read_sweep(sweep_file(**given, trials=3)).trials == 3


def test_a_sweep_needs_no_working_directory(sweep_file, tmp_path: Path, monkeypatch) -> None:
    """The experiment lies beside the file that names it."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    experiment = Path(json.loads(sweep_file().read_text())["experiment"])
    (tmp_path / "beside.yaml").write_text(experiment.read_text())
    sweep = read_sweep(sweep_file(experiment="beside.yaml", space=space_with()["space"]))
    assert (sweep.name, sweep.trials) == ("sweep", 4)
    assert sweep.at({"factor": 1.5}).config


def test_differences_name_the_place() -> None:
    old = {"space": {"a": {"low": 1.0}, "b": {}}, "seeds": 1}
    new = {"space": {"a": {"low": 0.5}, "c": {}}, "seeds": 1}
    assert differences(old, new) == [
        "space.a.low: 1.0 is now 0.5",
        "space.b is gone",
        "space.c is new",
    ]
    assert differences(old, old) == []


NOTHING_CHOSEN = {"fresh_seeds": 0, "baselines": []}


def test_trials_that_judge_begin_with_a_fresh_seed(sweep_file) -> None:
    sweep = read_sweep(sweep_file(seeds=2, first_seed=1000, **NOTHING_CHOSEN))
    assert list(sweep.trial_seeds) == [1000, 1001]
    assert list(read_sweep(sweep_file(seeds=2)).trial_seeds) == [0, 1]


def test_a_search_that_chooses_leaves_the_fresh_seeds_alone(sweep_file) -> None:
    read_sweep(sweep_file(seeds=2, first_seed=998, fresh_seeds=1))
    with pytest.raises(ValueError, match="first_seed=999: trials would have seeds up to 1000, and"):
        read_sweep(sweep_file(seeds=2, first_seed=999, fresh_seeds=1))


@pytest.mark.parametrize(
    "choosing",
    [
        {"sampler": "TPESampler"},
        {"pruner": "MedianPruner"},
        {"fresh_seeds": 1},
        {"baselines": ["active_flops"]},
    ],
)
def test_whatever_chooses_is_refused_the_fresh_seeds(sweep_file, choosing) -> None:
    with pytest.raises(ValueError, match="first_seed=1000: trials would have seeds up to 1000"):
        read_sweep(sweep_file(first_seed=1000, **{**NOTHING_CHOSEN, **choosing}))
