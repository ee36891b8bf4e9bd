"""The tokenizer: ids of its own for bytes, learned alike by every process."""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import numpy as np

from moebench.data.tokenizer import EOS, FIRST_TEXT, SMALLEST_VOCABULARY, Tokenizer


def test_another_process_learns_the_same_encoding(tmp_path: Path) -> None:
    code = """
        import sys
        from pathlib import Path
        from moebench.data.tokenizer import Tokenizer
        text = Path(sys.argv[1]).read_text()
        Tokenizer.train(text.split("\\f"), 1024).save(Path(sys.argv[2]))
    """
    texts = tmp_path / "texts"
    modules = sorted((Path(np.__file__).parent / "lib").glob("*.py"))
    texts.write_text("\f".join(path.read_text().replace("\f", "") for path in modules))
    assert texts.stat().st_size > 500_000
    saved = []
    for number, threads in enumerate("124"):
        path = tmp_path / f"{number}.json"
        environment = os.environ | {"RAYON_NUM_THREADS": threads, "PYTHONHASHSEED": threads}
        command = [sys.executable, "-c", dedent(code), str(texts), str(path)]
        subprocess.run(command, check=True, env=environment)
        saved.append(path.read_bytes())
    assert saved[0] == saved[1] == saved[2]


def test_text_ids_start_after_the_special_ones() -> None:
    tokenizer = Tokenizer.train([], SMALLEST_VOCABULARY)
    (ids,) = tokenizer.encode(["a<pad>\n"])
    assert len(ids) == 7, "one id per byte, since nothing could be merged"
    assert min(ids) >= FIRST_TEXT
    assert tokenizer.decode([EOS, *ids, 5]) == "a<pad>\n"
