"""What a person may get wrong in configurations, sweeps and models: it is told before training."""

import json
from pathlib import Path

import pytest
import yaml

from moebench.cli.main import main

from .refusals import BINARY, FILES, desk, refused

CONFIGS = Path(__file__).parents[1] / "configs" / "tiny_2026"
BASE = [f"--config={CONFIGS / name}.yaml" for name in ("switch_8", "recall")]
SWITCH = str(CONFIGS / "switch_8.yaml")
ROUTER = "model.network.init_args.sparse.router.init_args"
SMALL = {"data": {"init_args": {"batch_size": 4, "valid_batches": 1}}}
KEYS = {
    # key and value in mine.yaml -> words of the line, which begins with the file
    "trainer.max_stepz: 3": "max_stepz",
    "trainer.max_steps: -5": "trainer.max_steps=-5: must be at least 1",
    "trainer.max_steps: many": "trainer.max_steps",
    "trainer.max_steps: null": "trainer.max_steps",
    "trainer.max_steps: 1.0e30": "trainer.max_steps",
    "trainer.val_check_interval: 0": "trainer.val_check_interval=0: ",
    "trainer.precision: half": "trainer.precision",
    "trainer.accelerator: tpu9": "trainer",
    "trainer.limit_val_batches: -1": "trainer.limit_val_batches=-1",
    "seed_everything: -3": "seed_everything=-3: must be from 0 to 4294967295",
    "seed_everything: 4294967296": "seed_everything=4294967296: ",
    "seed_everything: 1.0e30": "seed_everything",
    "seed_everything: one": "seed_everything=one: expected a whole number",
    "seed_everything: true": "seed_everything: expected a whole number",
    "model: 3": "model",
    "modell.warmup_steps: 3": "modell",
    "model.warmup_steps: 0": "warmup_steps=0: must be at least 1",
    "model.warmup_steps: [3]": "model.warmup_steps",
    "model.router_rate: -1.0": "router_rate=-1.0: ",
    "model.losses: [{loss: LoadBalance, weight: -0.1}]": "model.losses.weight=-0.1: must be 0 or",
    "model.losses: [{loss: LoadBalance, weight: .nan}]": "model.losses.weight=nan",
    "model.losses: [{loss: Balance}]": "Balance",
    "model.losses: [3]": "model.losses",
    "model.optimizer: Adamm": "Adamm",
    "model.optimizer: null": "optimizer=None: must make an optimiser",
    "model.optimizer.init_args.lr: fast": "lr",
    "model.optimizer: {class_path: torch.optim.SGD, init_args: {lr: .nan}}": "optimizer.lr=nan: ",
    "model.network: Decoderr": "Decoderr",
    "model.network: moebench.moe.routers": "model.network",
    "model.network.init_args.shape.width: 0": "width=0",
    "model.network.init_args.shape.width: -4": "width=-4",
    "model.network.init_args.shape.width: wide": "width",
    "model.network.init_args.shape.width: 100000000000000": "too large",
    "model.network.init_args.shape.layers: 0": "layers=0",
    "model.network.init_args.shape.heads: 7": "heads=7",
    "model.network.init_args.shape.hidden: -1": "hidden=-1",
    "model.network.init_args.sparse.experts.init_args.hidden: 0": "hidden=0",
    "model.network.init_args.sparse.experts.init_args.hidden: -8": "hidden=-8",
    "model.network.init_args.sparse.dispatcher: Buffer": "Buffer",
    f"{ROUTER}.capacity.factor: 0": "capacity.factor=0",
    f"{ROUTER}.capacity.factor: 1.0e30": "capacity.factor=1e+30: must be above 0 and at most",
    f"{ROUTER}.capacity.factor: .nan": "capacity.factor=nan",
    f"{ROUTER}.capacity.minimum: -1": "capacity.minimum=-1",
    f"{ROUTER}.capacity.minimum: 100000000000000000000": "capacity.minimum=1000",
    f"{ROUTER}.capacity.priority: rank": "priority",
    f"{ROUTER}.router.init_args.num_experts: 0": "num_experts=0",
    f"{ROUTER}.router.init_args.num_experts: -2": "num_experts=-2",
    f"{ROUTER}.router.init_args.num_experts: null": "num_experts",
    f"{ROUTER}.router: {{class_path: Random, init_args: {{k: null}}}}": "k=null: must have a value",
    f"{ROUTER}.router: Switcch": "Switcch",
    f"{ROUTER}.router: LoadBalance": "is one of losses; `moebench list`",
    "data: Textt": "Textt",
    "data: 3": "data",
    "data.init_args.batch_size: 0": "batch_size=0",
    "data.init_args.batch_size: -3": "batch_size=-3",
    "data.init_args.batch_size: 100000000000000000000": "too large",
    "data.init_args.length: 0": "length=0",
    "data.init_args.vocabulary: 3": "vocabulary=3",
    "data.init_args.vocabulary: none": "data",
    "data.init_args.world.init_args.facts: 0": "facts=0",
}
LINES = {
    "--trainer.max_steps -5": "trainer.max_steps=-5: must be at least 1",
    "--seed_everything -3": "seed_everything=-3: must be from 0",
    "--seed_everything=-3": "seed_everything=-3: must be from 0",
    "--trainer": "trainer",
    "--trainer.max_steps": "max_steps",
    "stray": "stray",
    "--data=a_folder": "trains on no text, so --data does not apply",
    "--precision=16-true --device=cuda": "device=cuda: torch sees no GPU",
}
YAML = {
    "list.yaml": "is a list; expected keys and values",
    "empty.yaml": "is empty; expected keys and values",
    "broken.yaml": "not YAML: line 3, column 1: ",
    "binary.yaml": "not text, so not YAML",
    "number.yaml": "is a single value",
    "numbers.yaml": "the key 3 is not a string",
    "zero.yaml": "not YAML: ",
    "deep.yaml": "not YAML: ",
}
SWEEP = {
    "trials": 0,
    "seeds": 1001,
    "fresh_seeds": -1,
    "objectives": {"valid/loss": "less"},
    "sampler": "Best",
    "pruner": 3,
    "space": [1],
    "baselines": "all",
    "settings": [1],
    "trails": 3,
    "experiment": "nowhere.yaml",
    "surface": ["a"],
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with bad files."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MOEBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    desk(tmp_path)
    return tmp_path


def nested(line: str) -> dict[str, object]:
    """`a.b: value` as a configuration."""
    key, _, value = line.partition(": ")
    content = yaml.safe_load(value)
    for part in reversed(key.split(".")):
        content = {part: content}
    return content


@pytest.mark.parametrize("line", KEYS)
def test_a_bad_key_is_told_with_its_file(line: str, here: Path, capsys) -> None:
    (here / "small.yaml").write_text(json.dumps(SMALL))
    (here / "mine.yaml").write_text(yaml.safe_dump(nested(line)))
    told = refused(main, ["fit", *BASE, "--config=small.yaml", "--config=mine.yaml"], capsys)
    assert KEYS[line] in told
    assert len(told) < 700


@pytest.mark.parametrize("line", ["data.init_args.length: 0", "data: Textt"])
def test_a_bad_key_of_a_described_text_is_told_with_its_file(line: str, here: Path, capsys) -> None:
    (here / "mine.yaml").write_text(yaml.safe_dump(nested(line)))
    told = refused(main, ["data", "describe", "--config", SWITCH, "mine.yaml"], capsys)
    assert told.startswith("moebench: mine.yaml: data")


@pytest.mark.parametrize("line", LINES)
def test_a_bad_argument_is_told(line: str, capsys) -> None:
    assert LINES[line] in refused(main, ["fit", *BASE, *line.split()], capsys)


@pytest.mark.parametrize("name", YAML)
@pytest.mark.parametrize("command", ["fit", "sweep", "data describe"])
def test_a_file_that_is_no_configuration_is_named(name: str, command: str, capsys) -> None:
    file = [name] if command == "sweep" else ["--config", name]
    base = BASE if command == "fit" else []
    told = refused(main, [*command.split(), *base, *file], capsys)
    assert f"moebench: {name}: {YAML[name]}" in told
    assert len(told) < 250


@pytest.mark.parametrize("key", SWEEP)
def test_a_bad_key_of_a_sweep_is_told_with_its_file(key: str, here: Path, capsys) -> None:
    space = {"weight": {"key": "model.losses.0.weight", "values": [0.1, 0.2]}}
    whole = {"experiment": str(CONFIGS / "switch_8.yaml"), "space": space}
    whole |= {"objectives": {"valid/loss": "minimize"}, "sampler": "RandomSampler"}
    (here / "mine.yaml").write_text(json.dumps({**whole, key: SWEEP[key]}))
    told = refused(main, ["sweep", "mine.yaml"], capsys)
    assert told.startswith("moebench: mine.yaml: ")
    assert (key if key != "experiment" else "nowhere.yaml") in told


def test_a_bad_key_of_what_a_sweep_varies_is_told_with_its_file(
    sweep_file, here: Path, capsys
) -> None:
    (here / "mine.yaml").write_text("model: {warmup_steps: 0}\n")
    files = [SWITCH, "mine.yaml"]
    told = refused(main, ["sweep", str(sweep_file(experiment=files, baselines=[]))], capsys)
    assert f"{here / 'mine.yaml'}: warmup_steps=0" in told


@pytest.mark.parametrize("content", [BINARY, b'{"op_code": 0}\n{"op_c\n{"op_code": 4}\n', b"[1]\n"])
def test_a_damaged_study_is_named(content: bytes, sweep_file, here: Path, capsys) -> None:
    path = here / "runs" / "sweeps" / "sweep" / "study.log"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    told = refused(main, ["sweep", str(sweep_file(baselines=[]))], capsys)
    assert "runs/sweeps/sweep/study.log" in told
    assert "move the file away" in told


@pytest.mark.parametrize("command", ["generate {} --prompt a", "analyze {}"])
@pytest.mark.parametrize(
    "content",
    [BINARY, b"[1]", b"{", b"{}", b'{"model_type": "x"}', b'{"model": 3, "data": {}}'],
)
def test_what_is_no_model_is_named(command: str, content: bytes, here: Path, capsys) -> None:
    (here / "a_folder" / "config.json").write_bytes(content)
    (here / "a_folder" / "last.ckpt").touch()
    assert "a_folder" in refused(main, command.format("a_folder").split(), capsys)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("latin.txt", "latin.txt"),
        ("blank.txt", "blank.txt"),
        ("binary.yaml", "binary.yaml"),
        ("rows.jsonl", "rows.jsonl"),
        ("broken.jsonl", "broken.jsonl"),
        ("a_folder", "a_folder"),
    ],
)
def test_what_is_no_text_is_named(name: str, word: str, capsys) -> None:
    assert name in FILES or name == "a_folder"
    assert word in refused(main, ["data", "describe", "--data", name], capsys)
