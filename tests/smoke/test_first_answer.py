"""What needs no torch answers at once: it is never imported for it, nor is anything as slow."""

import json
import os
import subprocess
import sys
from pathlib import Path

from moebench.cli.part_sources import families
from moebench.experiment.part_registry import FAMILIES

ASK = """
import contextlib, io, json, shutil, sys
from pathlib import Path
from moebench.cli.main import main
from moebench.cli.overview import SAYS
from moebench.papers import targets

known = [found for found in targets() if found.evidence.exists()]
one = min(known, key=lambda found: found.evidence.stat().st_size)
first = json.loads(one.evidence.read_text().partition("\\n")[0])
run = Path("runs") / one.folder / first["profile"]
run.mkdir(parents=True)
shutil.copy(one.evidence, run / "results.jsonl")
asked = [
    [], ["help"], ["--version"], ["nonsense"], [one.name], ["list"],
    *([name, "--help"] for name in SAYS),
    *(["fit", f"--help={page}"] for page in ("model", "data.source", "Switch", "trainer", "all")),
    ["fit", "--help=swich"], ["fit"], ["fit", "--config", "nowhere.yaml"], ["fit", "--modle.x=3"],
    ["fit", "--model=A", "--trainer.max_step=3"],
    ["new", "router", "no-name"], ["data", "describe", "--data", "nowhere"],
    ["reproduce", "nowhere"], ["reproduce", one.name, "--profile", "quik"],
    ["reproduce", one.name, "--data", "nowhere"], ["sweep", "nowhere.yaml"],
    ["verdict", one.name, "--root", "no_runs"], ["publish", one.name, "--root", "no_runs"],
    ["rerun", "nowhere", "arm", "0"], ["rerun", one.name, "no_arm", "0"],
    ["rerun", one.name, first["arm"], "-1"],
    ["compare", "--root", "no_runs"], ["compare", "--records", "nowhere"],
    ["track", "--root", "no_runs"], ["mlflow", "--port", "0"],
    ["explain", "nothing"], *(["explain", found.claims[0].key] for found in known),
    ["cite", "nowhere"], *(["cite", found.name] for found in known),
]
drawn = [["verdict", one.name, "--profile", first["profile"]], ["compare", "--records", str(run)]]
slow = {"torch", "mlflow", "optuna", "pytorch_lightning", "sklearn", "pandas"}
slower = slow | {"matplotlib", "scipy.stats", "scipy.optimize"}
for arguments in [*asked, *drawn]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        with contextlib.suppress(SystemExit):
            main(arguments)
    found = (slower if arguments in asked else slow) & set(sys.modules)
    assert not found, (arguments, found)
print(json.dumps(len(known)))
"""


def test_nothing_slow_is_imported(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) > 0


def test_parts_are_listed_without_being_imported() -> None:
    """By the names and the first lines that they have when they are imported."""
    imported = {
        key: {part.__name__: (part.__doc__ or "").splitlines()[0] for part in family.values()}
        for key, family in FAMILIES.items()
    }
    assert families() == imported
