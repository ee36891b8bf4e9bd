"""The command line as a person meets it: what works, and what is refused in one line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import reproductions
from moebench.cli.chosen_settings import data_settings
from moebench.cli.main import main
from moebench.cli.options import parser
from moebench.data.text import Text
from moebench.evidence.record_files import read, write_all
from moebench.experiment import load
from moebench.papers.claim import NOT_JUDGED
from moebench.testing.verdicts import run

CONFIGS = Path(__file__).parents[1] / "configs" / "tiny_2026"
SWITCH = str(CONFIGS / "switch_8.yaml")
WORLD = str(CONFIGS / "recall.yaml")
GATE = "model.network.init_args.middle.init_args.router.init_args"
ROWS = ["--data", "rows.jsonl", "--field"]
PLACE = "model.network.init_args.sparse.router"
ROUTER = f"{PLACE}.init_args"
BATCHWISE = [f"--{PLACE}=Batchwise", f"--{PLACE}.num_experts=16", f"--{PLACE}.k=4"]
THREE_TOKENS = ["--data.batch_size=1", "--data.length=3"]


def layer(name: str, *more: str) -> list[str]:
    """Return the arguments that train a mixture between LSTMs."""
    return ["fit", f"--config={WORLD}", f"--config={CONFIGS / name}.yaml", *more]


@pytest.fixture(autouse=True)
def _papers(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is one paper, and only tests know it."""
    monkeypatch.setattr(reproductions, "__path__", [str(CONFIGS.parents[1] / "reproductions")])


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of all runs that does not exist yet."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MOEBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs"


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Return the line of a refusal."""
    capsys.readouterr()
    try:
        status = main(arguments)
    except SystemExit as stop:  # argparse's own refusals
        status = stop.code
    captured = capsys.readouterr()
    assert status == 2
    assert captured.out == ""
    lines = [line for line in captured.err.splitlines() if not line.startswith("usage:")]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["reproduce", "tyny"], ["target=tyny", "tiny"]),
        (["reproduce", "tiny", "--profile", "quik"], ["profile=quik", "the nearest: quick"]),
        (["reproduce", "tiny", "--seeds", "0"], ["seeds=0", "at least 1"]),
        (["reproduce", "tiny", "--workers", "0"], ["workers=0", "at least 1"]),
        (["reproduce", "tiny", "--data", "nowhere"], ["nowhere"]),
        (["reproduce", "tiny", "--data", "empty.txt"], ["empty.txt"]),
        (["reproduce", "tiny", "--field", "body"], ["field=body", "give --data"]),
        (["analyze", "model", "--field", "body"], ["field=body", "give --data"]),
        (["data", "describe", "--field", "body"], ["field=body", "give --data"]),
        (["reproduce", "tiny", *ROWS, "body"], ["source.field='body'", "has title, text"]),
        (["data", "describe", "--data", "nowhere"], ["nowhere", "no such file"]),
        (["data", "describe", "--data", "twice.txt"], ["domain 'twice' has no text for valid"]),
        (["data", "describe", "--config", SWITCH, WORLD], ["data=Synthetic: has no description"]),
        (["data", "describe", "--vocabulary", "9"], ["data.vocabulary=9", "at least 290"]),
        (["verdict", "tiny"], ["results.jsonl", "make reproduce-tiny"]),
        (["compare"], ["runs", "neither a folder"]),
        (["compare", "--records", "empty.txt"], ["empty.txt", "no matching run"]),
        (["compare", "--tag", "best"], ["tag=best", "name=value"]),
        (["compare", "--since", "2026-02-30"], ["since=2026-02-30", "2026-01-31"]),
        (["fit", "--config=nowhere.yaml"], ["nowhere.yaml"]),
        (["fit", f"--config={SWITCH}", "--trainer.max_stepz=3"], ["max_stepz"]),
        (layer("lstm", f"--{GATE}.k=16"), ["k=16", "between 1 and num_experts - 1 = 15"]),
        (
            layer("lstm_two_levels", f"--{GATE}.groups=7"),
            ["groups=7", "must divide num_experts=64"],
        ),
        (
            ["fit", f"--config={SWITCH}", f"--config={WORLD}", *BATCHWISE, *THREE_TOKENS],
            ["tokens=3", "fewer than num_experts=16", "needs at least as many"],
        ),
        (
            ["fit", f"--config={SWITCH}", f"--{ROUTER}.router=Swich"],
            ["sparse.router.router", "Swich", "Switch"],
        ),
    ],
)
def test_a_refusal_is_one_line_and_writes_nothing(
    arguments: list[str], words: list[str], root: Path, capsys
) -> None:
    Path("empty.txt").touch()
    Path("rows.jsonl").write_text('{"title": "a", "text": "b"}\n')
    Path("twice.txt").write_text("the same line of a text\n" * 99)
    message = refused(arguments, capsys)
    assert message.count("\n") == 0
    for word in words:
        assert word in message, message
    assert not root.exists()


def test_capacity_below_one_row_is_refused(root: Path, small_text: Path, capsys) -> None:
    message = refused(
        [
            "fit",
            f"--config={SWITCH}",
            f"--{ROUTER}.capacity.factor=0.001",
            "--data.init_args.source.class_path=Files",
            f"--data.init_args.source.init_args.path={small_text}",
            "--data.init_args.vocabulary=300",
            "--data.init_args.valid_batches=2",
        ],
        capsys,
    )
    assert message.startswith("moebench: capacity.factor=0.001: gives 0.256 rows per expert")
    assert not root.exists()


def test_an_unreachable_server_is_refused_before_anything_is_trained(
    root: Path, small_text: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    arguments = ["reproduce", "tiny", "--profile", "smoke", "--data", str(small_text)]
    message = refused([*arguments, "--root", str(root)], capsys)
    assert message.count("\n") == 0
    assert "MLflow at http://127.0.0.1:9 cannot be reached" in message
    assert "MLFLOW_TRACKING_URI" in message
    assert not root.exists()


def test_a_smoke_reproduction_from_end_to_end(root: Path, small_text: Path, capsys) -> None:
    arguments = ["reproduce", "tiny", "--profile", "smoke", "--data", str(small_text)]
    arguments += ["--workers", "2", "--seeds", "1", "--root", str(root)]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    folder = root / "tiny_2026" / "smoke"
    records = read(folder / "results.jsonl")
    trained = [record for record in records if record.steps]
    assert {r.arm for r in trained} == {"dense", "switch_8", "top2_8"}
    assert {r.status for r in records} == {"finished"}
    assert len({r.data_hash for r in trained}) == 1
    assert all(r.metrics["data/overlap/first"] == 0 for r in trained)
    fixed = {record.arm: record.claims for record in trained}
    assert fixed["dense"] == {"TM26-01": 1}
    assert fixed["switch_8"] == {"TM26-01": 1, "TM26-02": 1}
    verdicts = json.loads((folder / "verdicts.json").read_text())
    keys = {"claim", "version", "verdict", "effect", "low", "high", "n", "p_adjusted"}
    keys |= {"paper_values", "measured", "matched_on", "costs"}
    assert all(keys <= set(verdict) for verdict in verdicts)
    assert {verdict["verdict"] for verdict in verdicts} <= set(NOT_JUDGED)
    assert "Everything works: " in printed
    last = printed.splitlines()[-4:]
    assert "judges nothing" in " ".join(last), "and that is nearly all that is said"
    page = (folder / "report.html").read_text()
    assert "TM26-01" in page
    assert "in stretches of 32 tokens: 0.00% (first 0.00%, second 0.00%)" in page
    assert (root / "mlflow.db").exists()

    before = {path: path.stat().st_mtime_ns for path in folder.rglob("record.json")}
    assert main(arguments) == 0
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("record.json")} == before
    assert main(["verdict", "tiny", "--profile", "smoke", "--root", str(root)]) == 0

    capsys.readouterr()
    assert main(["compare", "--target", "tiny", "--root", str(root)]) == 0  # from MLflow
    shown = capsys.readouterr().out
    assert main(["compare", "--records", str(folder / "results.jsonl"), "--out", "here"]) == 0
    assert capsys.readouterr().out.splitlines()[:-4] == shown.splitlines()[:-4]  # but for paths
    written = root / "compare" / "target_tiny" / "compare.md"
    assert "switch_8" in written.read_text().replace("\\", "")


@pytest.mark.parametrize("form", ["data", "source", "config"])
def test_a_text_is_described(form: str, root: Path, tmp_path: Path, capsys, caplog) -> None:
    """A folder in which every text stands twice, by all three ways to name it."""
    folder = tmp_path / "texts"
    for number in range(24):
        for name in ("doc", "copy_of_doc"):
            path = folder / f"{number % 2}" / f"{name}_{number}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(
                "".join(f"{number} has {n} of {number * n} words.\n" for n in range(99))
            )
    source = json.dumps({"class_path": "Files", "init_args": {"path": str(folder)}})
    overlay = tmp_path / "ours.yaml"
    overlay.write_text(f"data: {{init_args: {{vocabulary: 300, source: {source}}}}}")
    given = {"data": [str(folder)], "source": [source], "config": [SWITCH, str(overlay)]}[form]
    more = [] if form == "config" else ["--vocabulary", "300"]
    assert main(["data", "describe", f"--{form}", *given, *more]) == 0
    [message] = caplog.messages
    assert message.startswith("24 of 48 documents are near-duplicates of others, in 24 clusters")
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].endswith(f", version {Text.version}, vocabulary 300")
    assert [line.split()[0] for line in (printed[1], *printed[3:6])] == ["domain", "0", "1", "all"]
    assert all(line.split()[-1] == "0.00%" for line in printed[3:6])
    assert "left out: 24 of 48 documents, near-duplicates of others in 24 clusters" in printed


def test_the_text_of_rows_is_named(root: Path, capsys) -> None:
    rows = [
        {"id": number, "body": "".join(f"{number} has {n} of {number * n}.\n" for n in range(99))}
        for number in range(40)
    ]
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    given = ["--data", "rows.jsonl", "--field", "body"]
    assert main(["data", "describe", *given, "--vocabulary", "300"]) == 0
    assert "of 40 documents" in capsys.readouterr().out
    for command in (["reproduce", "tiny"], ["sweep", SWITCH]):
        settings = data_settings(parser().parse_args([*command, *given]))
        assert load([Path(SWITCH)], settings).build(logger=False)[1].source.field == "body"


def test_list_names_targets_claims_and_parts(capsys) -> None:
    assert main(["list"]) == 0
    printed = capsys.readouterr().out
    for name in ("tiny", "TM26-01", "Switch", "TopK", "ReluMLP", "Grouped", "LoadBalance"):
        assert name in printed
    for name in ("Decoder", "Packages", "SpanCorruption", "Recall"):
        assert name in printed


def test_doctor_finds_what_is_needed(capsys, tmp_path: Path) -> None:
    assert main(["doctor", "--root", str(tmp_path)]) == 0
    assert "torch" in capsys.readouterr().out


@pytest.mark.parametrize("at_once", ["", "1"])
def test_a_reader_that_has_gone_is_no_error(
    at_once: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it has gone before the first words, or before a few that are written at the end."""
    monkeypatch.setenv("PYTHONUNBUFFERED", at_once)
    write_all([run("a", target="t", profile="p")], tmp_path / "results.jsonl")
    command = [sys.executable, "-m", "moebench.cli.main", "compare", "--records"]
    command += [str(tmp_path / "results.jsonl"), "--out", str(tmp_path)]
    with (tmp_path / "err").open("w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
        assert process.stdout is not None
        process.stdout.close()
        process.wait()
    assert (tmp_path / "err").read_text() == ""
