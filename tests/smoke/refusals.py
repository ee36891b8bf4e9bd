"""How a refusal is held to what it promises: one line, status 2, nothing written."""

from collections.abc import Callable
from pathlib import Path

import pytest

BINARY = bytes(range(256)) * 4
RECORD = '{"target": "tiny_2026", "profile": "quick", "arm": "a", "seed": 0, "status": "finished"'
WHOLE = f'{RECORD}, "config_hash": "h", "commit": "c"}}'
FILES = {  # name -> content
    "a_file": b"text\n",
    "binary.yaml": BINARY,
    "broken.yaml": b"model: {network: [\ndata: 3\n",
    "deep.yaml": b"a: " + b"[" * 5000,
    "empty.yaml": b"# nothing but a comment\n",
    "list.yaml": b"- model\n- data\n",
    "number.yaml": b"3\n",
    "zero.yaml": b"model: \0\n",
    "numbers.yaml": b"3: model\n",
    "latin.txt": "caf\xe9\n".encode("latin-1") * 9,
    "blank.txt": b" \n",
    "rows.jsonl": b'{"title": "a"}\n',
    "broken.jsonl": b'{"text": \n',
    "binary.jsonl": BINARY,
    "half.jsonl": f"{WHOLE}\n{WHOLE[:60]}\n".encode(),
    "list.jsonl": b"[1, 2]\n",
    "nan.jsonl": WHOLE.replace('"seed": 0', '"seed": NaN').encode(),
    "kind.jsonl": WHOLE.replace('"seed": 0', '"seed": "0"').encode(),
    "status.jsonl": WHOLE.replace("finished", "done").encode(),
    "short.jsonl": b'{"target": "t"}\n',
    "deep.jsonl": b"[" * 100_000,
}


def desk(folder: Path) -> None:
    """Lay out the bad files, and a folder of runs whose records are blank lines."""
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    (folder / "a_folder").mkdir()
    runs = folder / "blank" / "tiny_2026" / "quick"
    runs.mkdir(parents=True)
    (runs / "results.jsonl").write_text(" \n\n")


def refused(
    main: Callable[[list[str]], int], arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> str:
    """Return the line of a refusal; all else about it is checked."""
    before = _everything()
    capsys.readouterr()
    try:
        status = main(arguments)
    except SystemExit as stop:  # of argparse
        status = stop.code
    told = capsys.readouterr()
    assert (status, told.out) == (2, ""), told
    assert told.err.count("\n") == 1, told.err
    assert _everything() == before
    return told.err


def _everything() -> set[Path]:
    """What there is, the cache of texts aside, which any command may fill."""
    return {path for path in Path().rglob("*") if "cache" not in path.parts}
