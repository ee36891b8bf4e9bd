"""No part is forgotten: the registries hold all that there is, and every contract is applied."""

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest
import pytorch_lightning as pl
from torch import nn

from moebench import data, models, moe, testing
from moebench.data.modules import DATA_MODULES
from moebench.data.sources import SOURCES, Source
from moebench.experiment.part_registry import FAMILIES
from moebench.models import MODELS
from moebench.models.output import Output
from moebench.moe.decision import RoutingDecision
from moebench.moe.dispatch import DISPATCHERS
from moebench.moe.experts import EXPERTS
from moebench.moe.losses import LOSSES
from moebench.moe.routers import ROUTERS, WRAPPERS


def classes(package: ModuleType, base: type) -> list[type]:
    """Return all public classes of a kind that are defined in a package."""
    names = [m.name for m in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    return [
        kind
        for module in map(importlib.import_module, names)
        for name, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, base) and kind.__module__ == module.__name__ and name[0] != "_"
    ]


def answers(package: ModuleType, annotation: object) -> set[type]:
    """Return the modules of a package whose `forward` returns what is asked for."""
    found = classes(package, nn.Module)
    return {k for k in found if inspect.signature(k.forward).return_annotation is annotation}


def takes(name: str) -> set[type]:
    """Return the modules of the layer whose `forward` takes an argument of that name."""
    found = classes(moe, nn.Module)
    return {k for k in found if name in inspect.signature(k.forward).parameters}


def offers_text(kind: type) -> bool:
    """Say whether a class is a source of text, and not what one promises."""
    return hasattr(kind, "documents") and hasattr(kind, "fingerprint") and kind is not Source


@pytest.mark.parametrize(
    ("registries", "found"),
    [
        pytest.param([ROUTERS, WRAPPERS], answers(moe.routers, RoutingDecision), id="routers"),
        pytest.param([EXPERTS], takes("count_E"), id="experts"),
        pytest.param([DISPATCHERS], takes("experts"), id="dispatchers"),
        pytest.param([LOSSES], set(classes(moe.losses, nn.Module)), id="losses"),
        pytest.param([MODELS], answers(models, Output), id="models"),
        pytest.param([DATA_MODULES], set(classes(data, pl.LightningDataModule)), id="data"),
        pytest.param([SOURCES], {k for k in classes(data, object) if offers_text(k)}, id="sources"),
    ],
)
def test_registries_are_whole(registries: list[Mapping[str, type]], found: set[type]) -> None:
    registered = {part for registry in registries for part in registry.values()}
    assert found
    assert found <= registered
    shown = {part for family in FAMILIES.values() for part in family.values()}
    assert registered <= shown, "`moebench list` does not show them all"


@pytest.mark.parametrize("name", testing.__all__)
def test_every_contract_is_applied_to_a_registry_by_one_test(name: str) -> None:
    files = [path.read_text() for path in sorted(Path(__file__).parent.glob("test_*.py"))]
    assert sum(f"class TestFamily({name})" in text for text in files) == 1
