"""The cost of reading a checkpoint: time relative to transformers, memory relative to its size.

A checkpoint with Mixtral's architecture is created on the fly and read by each side in turn, each
in its own process, with the file in the system's cache for both. Memory is a process's peak minus
what it held before reading. Run: `python -m benchmarks.checkpoint`.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

from benchmarks.command import number_of_rounds, one_line, parser, whole_number
from benchmarks.timing import ratios, save, table
from moebench.interop import save_pretrained
from moebench.models import RotaryDecoder
from moebench.models.decoder import DecoderShape
from moebench.models.grouped_query import GroupedQueryAttention
from moebench.moe import Sparse
from moebench.moe.experts import SwiGLU
from moebench.moe.routers import TopK

WIDTH = 256  # or a multiple: heads have 64 features, and four share keys and values
READERS = {
    "moebench": "from moebench.interop import from_pretrained as read",
    "transformers": "from transformers import AutoModelForCausalLM as M; read = M.from_pretrained",
}
# VmHWM rather than ru_maxrss, which a process inherits from its parent.
CHILD = """
import json, re, sys, time
import torch
torch.set_num_threads(1)
{reader}
import logging; logging.disable(logging.CRITICAL)
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024
before = peak()
started = time.perf_counter()
model = read(sys.argv[1])
seconds = time.perf_counter() - started
more = peak() - before
numbers = sum(p.numel() for p in model.parameters())
print(json.dumps([seconds, more, numbers]))
"""


def decoder(width: int, layers: int, hidden: int, vocabulary: int = 32_000) -> RotaryDecoder:
    """Return a decoder with Mixtral's architecture: 8 experts in every layer, two per token."""
    sparse = Sparse(lambda d: TopK(d, 8, 2), lambda d, n: SwiGLU(d, n, hidden), every=1)
    return RotaryDecoder(
        vocabulary,
        DecoderShape(width=width, layers=layers, heads=width // 64, hidden=hidden),
        sparse,
        attention=lambda dim, heads: GroupedQueryAttention(dim, heads, kv_heads=heads // 4),
    )


def measure(name: str, folder: str) -> tuple[float, float, int]:
    """Read the checkpoint once; return seconds, bytes and number of weights."""
    code = CHILD.format(reader=READERS[name])
    command = [sys.executable, "-c", code, folder]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, peak, numbers = json.loads(done.stdout.splitlines()[-1])
    return seconds, peak, numbers


@one_line
def main() -> None:
    """Time, print, and append to results.jsonl."""
    made = parser("benchmarks.checkpoint", __doc__)
    made.add_argument("--rounds", type=number_of_rounds, default=3)
    made.add_argument("--width", type=whole_number(multiple_of=WIDTH), default=1024)
    made.add_argument("--layers", type=whole_number(), default=12)
    made.add_argument("--hidden", type=whole_number(), default=3072)
    made.add_argument("--dtype", choices=("bfloat16", "float32"), default="bfloat16")
    made.add_argument("--save", action="store_true", help="append to benchmarks/results.jsonl")
    options = made.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = decoder(options.width, options.layers, options.hidden)
        save_pretrained(model.to(getattr(torch, options.dtype)), folder)
        del model
        size = sum(path.stat().st_size for path in Path(folder).glob("*.safetensors"))
        seconds: dict[str, list[float]] = {name: [] for name in READERS}
        memory: dict[str, list[float]] = {name: [] for name in READERS}
        for turn in range(-1, options.rounds):
            for name in READERS:
                time, peak, numbers = measure(name, folder)
                if turn >= 0:
                    seconds[name].append(time)
                    memory[name].append(peak / size)
    print(f"{numbers / 1e9:.2f} billion weights, {size / 1e9:.2f} GB in {options.dtype}")
    print({name: [round(value, 2) for value in values] for name, values in seconds.items()})
    rows = ratios(seconds, against="transformers")
    print(table("time over that of transformers", rows))
    print({name: [round(value, 3) for value in values] for name, values in memory.items()})
    if options.save:
        settings = {**vars(options), "weights": numbers, "peak_over_size": memory}
        save("checkpoint", {**settings, "threads": 1}, rows)


if __name__ == "__main__":
    main()
