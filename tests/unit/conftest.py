"""What tests of single parts share: sweeps over experiments that are read once."""

import pytest


@pytest.fixture(autouse=True)
def sweeps_remember(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeps are read some hundred times here, and most of them are over the same experiments.

    Whole commands load all of theirs, in tests/smoke.
    """
    if "sweep_file" in request.fixturenames:
        monkeypatch.setattr("moebench.sweep.definition.load", request.getfixturevalue("remembered"))
