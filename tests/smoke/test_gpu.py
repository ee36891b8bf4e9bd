"""The whole command without a GPU, in its small form, on a machine that has only what it needs."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from moebench.data.sources import Files
from moebench.data.token_archive import CorpusKey, pack
from moebench.evidence.record_files import read

ROOT = Path(__file__).parents[2]
ABSENT = ("mlflow", "optuna", "matplotlib", "sqlalchemy", "jinja2", "sklearn", "pandas")
ABSENT += ("transformers", "datasets", "datasketch", "psycopg")
BLOCKER = f"""
import sys

finders = list(sys.meta_path)

class Without:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in {ABSENT!r}:
            found = (finder.find_spec(name, path, target) for finder in finders)
            return next((spec for spec in found if spec is not None), None)

    def find_distributions(self, context):
        for finder in finders:
            for one in getattr(finder, "find_distributions", lambda _: ())(context):
                if one.metadata["Name"].lower() not in {ABSENT!r}:
                    yield one

sys.meta_path[:] = [Without()]
"""


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Of a process that cannot import what a GPU machine may lack, with an empty cache."""
    (tmp_path / "absent").mkdir()
    (tmp_path / "absent" / "sitecustomize.py").write_text(BLOCKER)
    path = os.pathsep.join([str(tmp_path / "absent"), str(ROOT)])
    return {
        **os.environ,
        "PYTHONPATH": path,
        "MOEBENCH_CACHE": str(tmp_path / "cache"),
        "OMP_NUM_THREADS": "1",
    }


@pytest.fixture
def text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Token files that stand in for the text of the runs: few words of its domains."""
    chance = random.Random(0)
    for domain in ("python", "cpp", "english"):
        (tmp_path / "words" / domain).mkdir(parents=True)
        words = ["".join(chance.choices("abcdefghij", k=5)) for _ in range(300)]
        for number in range(40):
            content = " ".join(chance.choices(words, k=500))
            (tmp_path / "words" / domain / f"{number}.txt").write_text(content)
    monkeypatch.setenv("MOEBENCH_CACHE", str(tmp_path / "elsewhere"))
    key = CorpusKey(json.dumps({"class_path": "moebench.data.sources.Packages"}), 1024)
    pack([(key, Files(str(tmp_path / "words")))], tmp_path / "text.tar.gz")
    return tmp_path / "text.tar.gz"


def finished(folder: Path) -> dict[tuple[str, str], str]:
    """The whole lines of what was measured or failed."""
    texts = (folder / "items.jsonl").read_text().splitlines()
    lines = [(json.loads(text), text) for text in texts]
    return {(one["stage"], one["item"]): t for one, t in lines if one["status"] != "missing"}


def test_killed_and_resumed_it_does_all_once(
    environment: dict[str, str], text: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "benchmarks.gpu", "--device", "cpu", "--minutes", "30"]
    command += ["--out", str(out), "--text", str(text)]
    with (tmp_path / "log").open("w") as log:
        first = subprocess.Popen(
            command, env=environment, cwd=tmp_path, stdout=log, stderr=subprocess.STDOUT
        )
        deadline = time.monotonic() + 300
        while first.poll() is None and time.monotonic() < deadline:
            if any(out.glob("*/smoke/*/seed_*/record.json")):
                break
            time.sleep(0.05)
        first.kill()
        first.wait()
    before = finished(out)
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + (tmp_path / "log").read_text()
    assert before.items() <= finished(out).items(), "what is finished is not done again"
    lines = [json.loads(line) for line in (out / "items.jsonl").read_text().splitlines()]
    assert {line["stage"] for line in lines} == {"parity", "layer", "train", "evidence"}
    assert all(line["found"]["passed"] for line in lines if line["stage"] == "parity")
    why = {line["item"]: line["why"] for line in lines if line["status"] != "measured"}
    assert why["small: huggingface grouped"] == "not installed: transformers"
    assert {reason for item, reason in why.items() if "graph" in item} == {
        "ValueError: CUDA graphs need a GPU"
    }
    [results] = out.glob("*/smoke/results.jsonl")
    records = read(results)
    assert {record.status for record in records} == {"finished"}
    assert len({(record.arm, record.seed) for record in records}) == len(records) == 5
