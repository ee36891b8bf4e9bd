"""What many tests share: a small text, and experiments on it that take seconds."""

import gc
import json
import os
import random
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # it imports torch, and the process that hands out tests runs none
    from .tiny_experiments import Remembered, TinyExperiments

os.environ["COLUMNS"] = "120"  # the window of whoever runs the tests changes none of them


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect no garbage among tests while they are read: what they import stays, and grows."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what waits for a cluster, then whole commands; the longest must not come last."""
    clusters = {item.path for item in items if "cluster" in getattr(item, "fixturenames", ())}
    items.sort(
        key=lambda item: (
            item.path not in clusters,
            "smoke" not in item.path.parts,
            "sweep" not in item.path.name,
        )
    )


@pytest.fixture(scope="session")
def small_text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two domains of generated words; its cache lies beside it."""
    folder = tmp_path_factory.mktemp("text")
    chance = random.Random(0)
    for domain, letters in (("first", "abcdefgh"), ("second", "nopqrstu")):
        (folder / domain).mkdir()
        words = ["".join(chance.choices(letters, k=chance.randint(2, 7))) for _ in range(600)]
        for number in range(120):
            text = " ".join(chance.choices(words, k=600))
            (folder / domain / f"{number}.txt").write_text(text)
    return folder


@pytest.fixture(scope="session")
def remembered() -> "Remembered":
    """The experiments that were loaded before."""
    from .tiny_experiments import Remembered

    return Remembered()


@pytest.fixture(scope="module")
def tiny(small_text: Path, remembered: "Remembered") -> Iterator["TinyExperiments"]:
    """Makes small experiments from configuration files, their data prepared."""
    from .tiny_experiments import TinyExperiments

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOEBENCH_CACHE", str(small_text.parent / "cache"))
        yield TinyExperiments(small_text, remembered)


ROUTER = "model.network.init_args.sparse.router.init_args"
FACTOR = {"key": f"{ROUTER}.capacity.factor", "low": 1.0, "high": 2.0}
WEIGHT = {"key": "model.losses.0.weight", "low": 1e-3, "high": 1e-1, "log": True}


@pytest.fixture
def sweep_file(tiny: "TinyExperiments", tmp_path: Path) -> Callable[..., Path]:
    """Writes `sweep.yaml`, a search over small experiments; takes the keys that differ."""
    from .tiny_experiments import CONFIGS

    def write(settings: Mapping[str, object] | None = None, **changes: object) -> Path:
        content = {
            "experiment": str(CONFIGS / "switch_8.yaml"),
            "settings": tiny.settings(**(settings or {})),
            "space": {"factor": FACTOR, "weight": WEIGHT},
            "objectives": {"valid/loss": "minimize"},
            "sampler": "RandomSampler",
            "trials": 4,
            "fresh_seeds": 1,
            "baselines": ["active_flops"],
            **changes,
        }
        path = tmp_path / "sweep.yaml"
        path.write_text(json.dumps(content))  # which is YAML
        return path

    return write


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """An untrained decoder, and a tokenizer of 60 words or parts of them."""
    from .tiny_experiments import save_untrained

    folder = tmp_path / "checkpoint"
    save_untrained(folder)
    return folder
