"""What a person says of an engine, and what is refused."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from moebench.run import engines
from moebench.run.engine import Engine
from moebench.run.engines import profile
from moebench.run.engines.engine_options import LocalOptions, RayOptions
from moebench.run.engines.profile import EngineProfile, engine_profile
from moebench.run.execution import Execution


@dataclass(frozen=True)
class CloudOptions:
    address: str = "auto"
    gpus: float = 0.0
    nodes: int = 1
    shared: bool = False
    memory_gb: float | None = None
    more: Mapping[str, Any] = field(default_factory=dict)


@pytest.fixture(autouse=True)
def cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(profile.OPTIONS, "cloud", CloudOptions)


def lacking(options: CloudOptions, workers: int | None) -> Engine:
    raise ModuleNotFoundError("No module named 'cloud'", name="cloud")


def test_a_name_alone_has_the_default_options() -> None:
    assert engine_profile("local") == EngineProfile("local", LocalOptions()) == EngineProfile()


def test_an_address_names_the_engine_that_it_is_for() -> None:
    assert engine_profile("cloud://head:1") == EngineProfile(
        "cloud", CloudOptions("cloud://head:1")
    )


def test_a_file_gives_options() -> None:
    Path("mine.yaml").write_text("engine: cloud\ngpus: 1\nshared: true\nmemory_gb: 2\nmore: {a: 1}")
    wanted = CloudOptions(gpus=1, shared=True, memory_gb=2, more={"a": 1})
    assert engine_profile("mine.yaml") == EngineProfile("cloud", wanted)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("gpus: 1", "mine.yaml: engine: missing; one of local, ray, slurm, cloud"),
        ("engine: clod", "mine.yaml: engine=clod: unknown; the nearest: cloud"),
        ("engine: cloud\ngpu: 1", "mine.yaml: gpu: unknown; the nearest: gpus"),
        ("engine: local\ngpus: 1", "mine.yaml: gpus: unknown; this engine has no options"),
        ("engine: cloud\nnodes: 1.5", "mine.yaml: nodes=1.5: expected int"),
        ("engine: cloud\nnodes: true", "mine.yaml: nodes=True: expected int"),
        ("engine: cloud\nshared: 1", "mine.yaml: shared=1: expected bool"),
        ("engine: cloud\ngpus: many", "mine.yaml: gpus=many: expected float"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name(content: str, words: str) -> None:
    Path("mine.yaml").write_text(content)
    with pytest.raises(ValueError, match=rf"^{words}"):
        engine_profile("mine.yaml")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"address": "head"}, "address=head: must be ray://host:port, host:port or auto"),
        ({"address": "ray://head"}, "address=ray://head: must be"),
        ({"cpus": -1}, "cpus=-1: must be at least 0"),
        ({"cpus": 0}, "cpus=0: a run must ask for cores, GPUs or resources"),
        ({"gpus": 1.5}, "gpus=1.5: above 1 it must be whole"),
        ({"resources": {"tpu": "two"}}, "resources.tpu=two: must be a number"),
        ({"resources": {"tpu": -1}}, "resources.tpu=-1: must be at least 0"),
        ({"retries": -1}, "retries=-1: must be at least 0"),
    ],
)
def test_what_ray_cannot_do_is_refused(options: dict, words: str) -> None:
    with pytest.raises(ValueError, match=f"^{words}"):
        RayOptions(**options)


def test_ray_takes_an_address_or_a_file() -> None:
    assert engine_profile("ray") == EngineProfile("ray", RayOptions())
    assert engine_profile("ray://head:10001").options.address == "ray://head:10001"
    Path("mine.yaml").write_text("engine: ray\naddress: head:6379\ngpus: 0.5\nretries: 0")
    assert engine_profile("mine.yaml").options == RayOptions("head:6379", gpus=0.5, retries=0)


def test_an_engine_that_there_is_not_is_named_beside_those_that_there_are() -> None:
    with pytest.raises(ValueError, match="engine=lokal: unknown; the nearest: local"):
        engine_profile("lokal")


def test_an_engine_that_is_not_installed_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(engines.ENGINES, "cloud", lacking)
    with pytest.raises(ValueError, match=r'engine=cloud: needs cloud; `pip install "moebench\[cl'):
        Execution(1, engine_profile("cloud")).start()


def test_slurm_names_its_extra_and_refuses_what_is_misspelt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "submitit", None)
    monkeypatch.delitem(sys.modules, "moebench.run.engines.slurm", raising=False)
    with pytest.raises(ValueError, match=r'needs submitit.*; `pip install "moebench\[slurm\]"`'):
        Execution(1, engine_profile("slurm")).start()
    Path("mine.yaml").write_text("engine: slurm\npartitoin: gpu")
    with pytest.raises(ValueError, match=r"mine.yaml: partitoin: unknown; the nearest: partition"):
        engine_profile("mine.yaml")
    Path("mine.yaml").write_text("engine: slurm\ncpus: 0")
    with pytest.raises(ValueError, match=r"mine.yaml: cpus=0: must be at least 1"):
        engine_profile("mine.yaml")


@pytest.mark.parametrize(
    ("wrong", "words"), [({"workers": 0}, "workers=0"), ({"time_limit": 0.0}, "time_limit=0")]
)
def test_no_workers_and_no_time_are_refused(wrong: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Execution(**wrong)
