"""`moebench analyze` on runs and on checkpoints, and what it refuses."""

import json
from collections.abc import Callable
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest

from moebench.cli.main import main
from moebench.run.job import Job
from moebench.run.worker import execute

EVERY_STEP = {
    "trainer.max_steps": 4,
    "trainer.val_check_interval": 2,
    "trainer.callbacks": [
        {
            "class_path": "pytorch_lightning.callbacks.ModelCheckpoint",
            "init_args": {"every_n_train_steps": 1, "save_top_k": -1, "filename": "at_{step}"},
        }
    ],
}


@pytest.fixture(scope="module")
def trained(tiny, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Trains a small model of a configuration, once; keeps its weights, returns its folder."""
    root = tmp_path_factory.mktemp("trained")

    @cache
    def train(name: str) -> Path:
        job = Job("target", "profile", "arm", 0, tiny(name, EVERY_STEP), root / name / "run", True)
        assert execute(job, []).status == "finished"
        return job.folder

    return train


@pytest.fixture
def text(tmp_path: Path) -> Path:
    """A folder with two domains."""
    for domain, words in (("fruit", "apple pear plum "), ("beasts", "horse cow pig ")):
        (tmp_path / "text" / domain).mkdir(parents=True)
        (tmp_path / "text" / domain / "words.txt").write_text(f"{words * 60}\n" * 2)
    return tmp_path / "text"


def look(model: Path, out: Path, *more: str) -> int:
    return main(["analyze", str(model), "--out", str(out), *more])


def findings(out: Path) -> dict:
    return json.loads((out / "analysis.json").read_text())


@pytest.mark.parametrize("name", ["mixtral_8.yaml", "switch_8.yaml", "attention_experts.yaml"])
def test_a_run_is_looked_at(
    name: str, trained, text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert look(trained(name), out, "--data", str(text)) == 0
    printed = capsys.readouterr().out
    found = findings(out)
    assert found["domains"] == ["beasts", "fruit"]
    assert found["tokens"] == found["windows"] * found["length"]
    assert f"\n    {len(found['layers']) - 1}  " in printed
    for layer in found["layers"]:
        assert sum(layer["domains"]["load"]) == pytest.approx(1)
        assert 0 <= layer["repeats"]["first"] <= 1
    page = (out / "analysis.html").read_text()
    assert page.count("<svg") >= 5
    HTMLParser().feed(page)
    assert "://" not in page.replace("http://www.w3.org", "")  # one self-contained file


def test_any_source_of_text_will_do(trained, tmp_path: Path) -> None:
    (tmp_path / "rows").mkdir()
    for split in ("train", "validation"):
        rows = [json.dumps({"said": f"{split} row {number} "}) for number in range(40)]
        (tmp_path / "rows" / f"{split}.jsonl").write_text("\n".join(rows))
    arguments = {"name": str(tmp_path / "rows"), "column": "said"}
    described = json.dumps({"class_path": "HuggingFace", "init_args": arguments})
    assert look(trained("switch_8.yaml"), tmp_path / "out", "--source", described) == 0
    assert findings(tmp_path / "out")["domains"] == ["rows"]


def test_the_models_own_text_is_the_default(trained, tmp_path: Path) -> None:
    assert look(trained("switch_8.yaml"), tmp_path / "out", "--tokens", "500") == 0
    found = findings(tmp_path / "out")
    assert found["length"] == 32
    assert found["tokens"] <= 500


def test_earlier_states_saturate(trained, text: Path, tmp_path: Path) -> None:
    folder = trained("switch_8.yaml")
    states = sorted(folder.rglob("at_*.ckpt"))
    assert len(states) == 4
    out = tmp_path / "out"
    earlier = [str(path) for path in (states[0], states[-1])]
    assert look(folder, out, "--data", str(text), "--earlier", *earlier) == 0
    first, last = findings(out)["saturation"]
    assert [layer["saturation"] for layer in last["layers"]] == [1.0]
    assert first["layers"][0]["saturation"] <= 1
    load = findings(out)["layers"][0]["domains"]["load"]
    assert last["layers"][0]["chance"] == pytest.approx(sum(share**2 for share in load))


def test_a_text_is_looked_at_in_the_same_way_twice(trained, text: Path, tmp_path: Path) -> None:
    folder = trained("switch_8.yaml")
    for out in ("one", "two"):
        assert look(folder, tmp_path / out, "--data", str(text)) == 0
    assert findings(tmp_path / "one") == findings(tmp_path / "two")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--tokens", "0"], "tokens=0: must be at least 1"),
        (["--length", "1"], "length=1: must be at least 2 and at most 32"),
        (["--length", "99"], "length=99: must be at least 2 and at most 32"),
        (["--data", "nowhere"], "'nowhere': no such file or folder"),
        (["--source", "Nowhere"], "Nowhere"),
        (["--source", "{class_path: Files, init_args: {pth: x}}"], "pth"),
        (["--dtype", "bfloat16"], "dtype=bfloat16: the weights of a run are float32"),
        (["--earlier", "nowhere"], "'nowhere': no such file or folder"),
    ],
)
def test_what_is_refused(
    more: list[str], words: str, trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = trained("switch_8.yaml")
    capsys.readouterr()
    assert look(folder, tmp_path / "out", *more) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("moebench: ")
    assert words in error
    assert not (tmp_path / "out").exists()


def test_a_text_shorter_than_a_window_is_refused(
    trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = trained("switch_8.yaml")
    (tmp_path / "short.txt").write_text("a\nb\n")
    assert look(folder, tmp_path / "out", "--data", str(tmp_path / "short.txt")) == 2
    assert "length=32: needs 33 tokens, and the longest domain" in capsys.readouterr().err


def test_a_dense_model_is_refused(
    trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert look(trained("dense.yaml"), tmp_path / "out") == 2
    assert "model: is dense" in capsys.readouterr().err


def test_earlier_states_of_another_shape_are_refused(
    trained, text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, other = trained("switch_8.yaml"), trained("mixtral_8.yaml")
    more = ["--data", str(text), "--earlier", str(other)]
    assert look(folder, tmp_path / "out", *more) == 2
    assert "has mixtures of [8, 8] experts, the model of [8]" in capsys.readouterr().err


def test_a_tokenizer_of_another_model_is_refused(
    checkpoint: Path, text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert look(checkpoint, tmp_path / "out", "--data", str(text)) == 0
    path = checkpoint / "tokenizer.json"
    tokens = json.loads(path.read_text())
    tokens["model"]["vocab"]["a"] = 3000
    path.write_text(json.dumps(tokens))
    assert look(checkpoint, tmp_path / "again", "--data", str(text)) == 2
    assert "gives the id 3000, but the model has 60 ids" in capsys.readouterr().err
