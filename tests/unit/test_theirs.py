"""Parts of somebody else's may raise anything and answer with anything: one line says which did."""

import json
from pathlib import Path

import pytest

from moebench.cli.main import main
from moebench.experiment import ConfigurationError, load
from moebench.run.check import checked
from moebench.run.job import Job
from moebench.run.worker import execute

CONFIG = Path(__file__).parents[1] / "configs" / "tiny_2026" / "switch_8.yaml"
SPARSE = "model.network.init_args.sparse"
THEIRS = """
import builtins
from collections.abc import Iterator, Mapping
from torch import nn
from moebench.data.sources import Document
from moebench.moe.experts import ReluMLP
from moebench.moe.routers import TopK

def raised(what):
    raise getattr(builtins, what)(f"no such {what}\\n twice")

class Router(nn.Module):
    def __init__(self, dim: int, num_experts: int = 4, breaks: str = "", answers: str = ""):
        super().__init__()
        if breaks:
            raised(breaks)
        self.num_experts, self.answers = num_experts, answers
        self.inner = TopK(dim, num_experts, 2)
    def forward(self, x_TD):
        found = {"raises": lambda: raised("KeyError"), "scores": lambda: x_TD,
                 "half": lambda: self.inner(x_TD[::2])}
        return found.get(self.answers, lambda: self.inner(x_TD))()

class Experts(nn.Module):
    def __init__(self, dim: int, num_experts: int):
        super().__init__()
        self.inner = ReluMLP(dim, num_experts, 8)
    def forward(self, x_RD, count_E):
        return self.inner(x_RD, count_E)[:, :1]

class Network(nn.Module):
    def __init__(self, vocabulary: int):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, vocabulary)
    def forward(self, batch):
        return self.embedding(batch.input_BL)

class Source:
    def __init__(self, breaks: str = ""):
        if breaks:
            raised(breaks)
    def fingerprint(self) -> str:
        return "theirs"
    def documents(self) -> Iterator[Document]:
        raised("KeyError")
        yield
    def check(self, digests: Mapping[str, str]) -> None:
        return None
"""


@pytest.fixture(autouse=True)
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "somebodys.py"
    path.write_text(THEIRS)
    monkeypatch.syspath_prepend(tmp_path)
    return path


def of(name: str, **arguments: object) -> dict[str, object]:
    return {"class_path": f"somebodys.{name}", "init_args": arguments}


@pytest.mark.parametrize(
    ("key", "name", "kind"),
    [
        (f"{SPARSE}.router", "Router", "ValueError"),
        (f"{SPARSE}.router", "Router", "KeyError"),
        ("data.init_args.source", "Source", "TypeError"),
        ("data.init_args.source", "Source", "RuntimeError"),
    ],
)
def test_a_part_that_cannot_be_made_is_named(key: str, name: str, kind: str) -> None:
    experiment = load([CONFIG], {key: of(name, breaks=kind)})
    with pytest.raises(ConfigurationError) as refusal:
        experiment.build(logger=False)
    told = str(refusal.value)
    assert told.startswith(f"{key}=somebodys.{name}: {kind}: ")
    assert f"no such {kind}" in told
    assert "twice" in told
    assert "(somebodys.py:" in told
    assert "\n" not in told


@pytest.mark.parametrize(
    ("key", "part", "words"),
    [
        (f"{SPARSE}.router", of("Router", answers="raises"), "KeyError: "),
        (f"{SPARSE}.router", of("Router", answers="scores"), "Tensor of the shape (256, 32); must"),
        (
            f"{SPARSE}.router",
            of("Router", answers="half"),
            "decides on 128 tokens; must be the 256",
        ),
        (f"{SPARSE}.experts", of("Experts"), "of the shape (512, 1); must be a Tensor of the"),
        ("model.network", of("Network"), "shape (8, 32, 300); must be an Output"),
        ("data.init_args.source", of("Source"), "KeyError: "),
    ],
)
def test_what_no_run_could_use_is_refused_before_it(
    key: str, part: dict[str, object], words: str, tiny
) -> None:
    more = {f"{SPARSE}.router": of("Router")} if key.endswith("experts") else {}
    settings = tiny.settings(**more, **{key: part})
    if key == "model.network":
        settings = {k: v for k, v in settings.items() if not k.startswith("model.network.")}
    with pytest.raises(ConfigurationError) as refusal:
        checked(load([CONFIG], settings))
    assert str(refusal.value).startswith(f"{key}={part['class_path']}: ")
    assert words in str(refusal.value)


def test_a_part_that_finds_no_memory_is_a_run_without_memory(tmp_path: Path) -> None:
    experiment = load([CONFIG], {f"{SPARSE}.router": of("Router", breaks="MemoryError")})
    record = execute(Job("target", "profile", "arm", 0, experiment, tmp_path / "run"), [])
    assert record.status == "out_of_memory"


def test_the_command_line_says_it_in_one_line_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    part = json.dumps(of("Router", breaks="KeyError"))
    assert main(["fit", f"--config={CONFIG}", f"--{SPARSE}.router={part}"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"moebench: {SPARSE}.router=somebodys.Router: KeyError: ")
    assert not (tmp_path / "runs").exists()
