"""What needs no torch answers at once: it is never imported for it, nor is anything as slow."""

import json
import subprocess
import sys

from moebench.cli.part_sources import families
from moebench.experiment.part_registry import FAMILIES

ASK = """
import contextlib, io, json, sys
from moebench.cli.main import main
from moebench.papers import targets

published = [found for found in targets() if found.evidence.exists()]
claims = [found.claims[0].key for found in published]
asked = [
    ["--help"], ["reproduce", "--help"], ["fit", "--help"], ["list"], ["nonsense"],
    ["reproduce", "nowhere"], ["verdict", targets()[0].name, "--root", "no_runs"],
    ["publish", targets()[0].name, "--root", "no_runs"], ["rerun", "nowhere", "arm", "0"],
    ["rerun", published[0].name, "nowhere", "0"],
    ["sweep", "nowhere.yaml"], ["fit"], ["fit", "--config", "nowhere.yaml"],
    ["explain", "nothing"], *(["explain", claim] for claim in claims),
]
slow = {"torch", "mlflow", "optuna", "matplotlib", "pytorch_lightning", "sklearn", "pandas"}
for arguments in asked:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        with contextlib.suppress(SystemExit):
            main(arguments)
    found = sorted(slow & set(sys.modules))
    assert not found, (arguments, found)
print(json.dumps(len(claims)))
"""


def test_nothing_slow_is_imported() -> None:
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) > 0


def test_parts_are_listed_without_being_imported() -> None:
    """By the names and the first lines that they have when they are imported."""
    imported = {
        key: {part.__name__: (part.__doc__ or "").splitlines()[0] for part in family.values()}
        for key, family in FAMILIES.items()
    }
    assert families() == imported
