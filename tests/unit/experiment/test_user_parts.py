"""Parts of somebody else's may raise anything and answer with anything: one line says which did."""

import json
from pathlib import Path

import pytest

from moebench.cli.main import main
from moebench.experiment import ConfigurationError, load
from moebench.run.check import checked
from moebench.run.job import Job
from moebench.run.worker import execute

CONFIG = Path(__file__).parents[2] / "configs" / "tiny_2026" / "switch_8.yaml"
SPARSE = "model.network.init_args.sparse"
LOSS = "model.losses.0.loss"
THEIRS = """
import builtins
from collections.abc import Iterator, Mapping
import pytorch_lightning as pl
import torch
from torch import nn
from moebench.data.sources import Document
from moebench.moe.dispatch import Grouped
from moebench.moe.experts import ReluMLP
from moebench.moe.losses import LoadBalance
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

class Speechless(nn.Module):
    def __init__(self, dim: int, num_experts: int = 4):
        super().__init__()
        self.num_experts = num_experts

class Experts(nn.Module):
    def __init__(self, dim: int, num_experts: int, whole: bool = False):
        super().__init__()
        self.inner, self.width = ReluMLP(dim, num_experts, 8), dim if whole else 1
    def forward(self, x_RD, count_E):
        return self.inner(x_RD, count_E)[:, :self.width]

class Dispatcher(Grouped):
    def __init__(self, answers: str = "raises"):
        super().__init__()
        self.answers = answers
    def forward(self, x_TD, decision, experts):
        y_TD = super().forward(x_TD, decision, experts)
        found = {"raises": lambda: raised("KeyError"), "half": lambda: y_TD[::2],
                 "rows": lambda: experts(x_TD[:, :1], torch.tensor([len(x_TD), 0, 0, 0]))}
        return found[self.answers]()

class Loss(LoadBalance):
    def __init__(self, answers: str = "raises"):
        super().__init__()
        self.answers = answers
    def forward(self, decision):
        value = super().forward(decision)
        found = {"raises": lambda: raised("KeyError"), "each": lambda: decision.probs_TE.mean(0)}
        return found[self.answers]()

class Descent(torch.optim.SGD):
    def step(self, closure=None):
        closure()
        raised("KeyError")

class Watch(pl.Callback):
    def on_train_batch_end(self, trainer, *rest):
        if trainer.global_step == 2:
            raised("KeyError")

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
        (
            f"{SPARSE}.router",
            of("Speechless"),
            "has no forward, see moebench/moe/contract.py",
        ),
        (f"{SPARSE}.experts", of("Experts"), "of the shape (512, 1); must be a Tensor of the"),
        (
            "model.network",
            of("Network"),
            "shape (8, 32, 300); must be an Output, see moebench/models/contract.py",
        ),
        ("data.init_args.source", of("Source"), "KeyError: "),
        (f"{SPARSE}.dispatcher", of("Dispatcher"), "KeyError: "),
        (f"{SPARSE}.dispatcher", of("Dispatcher", answers="half"), "shape (128, 32); must be a"),
        (LOSS, of("Loss"), "KeyError: "),
        (
            LOSS,
            of("Loss", answers="each"),
            "(8,); must be a Tensor of the shape (), one number, see moebench/moe/contract.py",
        ),
        ("model.optimizer", of("Descent", lr=0.1), "KeyError: "),
    ],
)
def test_what_no_run_could_use_is_refused_before_it(
    key: str, part: dict[str, object], words: str, tiny
) -> None:
    more = {f"{SPARSE}.router": of("Router")} if key.endswith("experts") else {}
    named = {"model.losses": [{"loss": part}]} if key == LOSS else {key: part}
    settings = tiny.settings(**more, **named)
    if key == "model.network":
        settings = {k: v for k, v in settings.items() if not k.startswith("model.network.")}
    with pytest.raises(ConfigurationError) as refusal:
        checked(load([CONFIG], settings))
    assert str(refusal.value).startswith(f"{key}={part['class_path']}: ")
    assert words in str(refusal.value)


def test_what_one_of_our_parts_refuses_is_told_in_its_words(tiny) -> None:
    settings = tiny.settings(**{f"{SPARSE}.dispatcher": of("Dispatcher", answers="rows")})
    with pytest.raises(ValueError, match=r"^experts: there are 8; the router chooses from 4$"):
        checked(load([CONFIG], settings))


def test_what_torch_refuses_is_told_of_before_a_run(tiny) -> None:
    backwards = {"class_path": "torch.optim.SGD", "init_args": {"lr": -1.0}}
    with pytest.raises(ConfigurationError, match=r"^model.optimizer=torch.*SGD: .*rate: -1"):
        checked(load([CONFIG], tiny.settings(**{"model.optimizer": backwards})))


def test_parts_that_keep_their_promises_pass(tiny, caplog: pytest.LogCaptureFixture) -> None:
    parts = {f"{SPARSE}.router": of("Router"), f"{SPARSE}.experts": of("Experts", whole=True)}
    checked(load([CONFIG], tiny.settings(**parts)))
    assert not caplog.records, "the run says it"


def test_a_callback_that_raises_in_training_is_told_of_in_one_line(
    tiny, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is not called before the run: it may write what stays."""
    experiment = checked(load([CONFIG], tiny.settings(**{"trainer.callbacks": [of("Watch")]})))
    job = Job("target", "profile", "arm", 0, experiment, tmp_path / "run")
    assert execute(job, []).status == "failed"
    [told] = [one.getMessage() for one in caplog.records if one.levelname == "ERROR"]
    assert told.startswith("failed: trainer.callbacks.0=somebodys.Watch: KeyError: ")
    assert "error.txt" in told
    assert "\n" not in told
    assert "Traceback" in (job.folder / "error.txt").read_text()


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
