"""From records to the tables of README.md: `python -m benchmarks.gpu.tables [FOLDER]`.

With a folder, its records become the committed ones first; `moebench publish` does the same for its
runs.
"""

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks.gpu.contenders import DENSE
from benchmarks.gpu.folder import ITEMS, Line, read
from benchmarks.gpu.items import MEASURED
from benchmarks.gpu.layer import PRODUCT
from benchmarks.gpu.repeat import NEVER
from benchmarks.gpu.train import BARE
from moebench.evidence.record_files import write_whole
from moebench.report import fill
from moebench.report.formatting import digits, memory, plural, scaled
from moebench.report.paper.markdown import table

HERE = Path(__file__).parent
PAGE, COMMITTED = HERE / "README.md", HERE / ITEMS
NONE = "No records: nothing of this has been measured on a GPU yet."
FORWARD, BOTH = "forward", "forward and back"


def with_tables(page: str, lines: Sequence[Line]) -> str:
    """Return README.md with tables of these records."""
    page = fill(page, "machine", _machine(lines))
    stages = {"parity": parity, "layer": layer, "train": train, "evidence": evidence}
    for stage, made in stages.items():
        own = [line for line in lines if line["stage"] == stage]
        page = fill(page, stage, f"{made(own)}\n\n{_failed(own)}" if own else NONE)
    return page


def _machine(lines: Sequence[Line]) -> str:
    """Return a description of the machine behind the records."""
    if not lines:
        return NONE
    told: dict[str, dict[str, None]] = {}
    for line in lines:
        ours = {"moebench": line["version"], "commit": line["commit"] or "unknown"}
        for name, value in {**line["machine"], **ours}.items():
            told.setdefault(name, {})[value] = None
    return table(("", ""), [(name, ", ".join(values)) for name, values in told.items()], "ll")


def _failed(lines: Iterable[Line]) -> str:
    """Return what was not measured, grouped by reason."""
    why: dict[str, list[str]] = {}
    for line in lines:
        if line["status"] != MEASURED:
            why.setdefault(f"{line['status']}: {line['why']}", []).append(line["item"])
    rows = [(reason, "; ".join(items)) for reason, items in why.items()]
    return table(("not measured", "what"), rows, "ll") if rows else "Everything was measured."


def measured(lines: Iterable[Line]) -> list[Line]:
    """Return the records that have figures."""
    return [line for line in lines if line["status"] == MEASURED]


def parity(lines: Sequence[Line]) -> str:
    """Return one row per dispatcher and type: how many routers agree, and other observations."""
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in measured(lines):
        *_, name = line["item"].split(", ")
        groups.setdefault((line["kind"], name), []).append(line["found"])
    rows = []
    for (dispatcher, name), found in groups.items():
        worst = max(max(one["errors"].values()) for one in found)
        waits = [one["waits for the card"]["dispatch"] for one in found]
        rows.append(
            (
                dispatcher,
                name,
                _share(found, lambda one: one["passed"]),
                f"{worst:.1e}",
                f"{found[0]['allowed']['errors']:.1e}",
                _share(found, lambda one: one["same bits"]["by default"]),
                _share(found, lambda one: one["same bits"]["deterministic"] is True),
                f"{waits.count(NEVER)} of {len(waits)}",
            )
        )
    head = (
        *("dispatcher", "type", "routers that agree", "worst error", "allowed"),
        *("same bits", "with deterministic algorithms", "never waits"),
    )
    return table(head, rows, "llrrrrrr")


def _share(found: Sequence[Line], holds: Callable[[Line], bool]) -> str:
    return f"{sum(map(holds, found))} of {len(found)}"


def layer(lines: Sequence[Line]) -> str:
    """Return one row per shape and contender: rates, shares, and memory over that of dense."""
    rows = []
    for line in measured(lines):
        found, (title, _, name) = line["found"], line["item"].partition(": ")
        tokens, asked = (found["shape"][key] for key in ("tokens", "tokens asked for"))
        title += f", {tokens} of {asked} tokens" if tokens < asked else ""
        rows.append((title, name, *_passes(found, name), *_held(found, name)))
    head = (
        *("shape", "block", "TFLOP/s forward", "of dense", "of a product"),
        *("forward and back", "of dense", "of a product", "activations over dense"),
    )
    return table(head, rows, "ll" + "r" * 7)


def _passes(found: Line, name: str) -> list[str]:
    """Return, for both passes, the rate and its shares of the rates of dense and of a product."""
    cells = []
    for way in (FORWARD, BOTH):
        rate = found[way]["flops per second"]
        cells.append(digits(rate[name] / 1e12))
        cells += [f"{rate[name] / rate[other]:.0%}" for other in (DENSE, PRODUCT)]
    return cells


def _held(found: Line, name: str) -> list[str]:
    """Return the activations over those of the dense block."""
    if "memory" not in found:
        return ["–"]
    ours, floor = (found["memory"][one]["activations"] for one in (name, DENSE))
    return [f"{digits(ours / floor)}"]


def train(lines: Sequence[Line]) -> str:
    """Return one row per way to train a model."""
    rows = []
    for line in measured(lines):
        found = line["found"]
        ratio = found["time over a bare loop"]
        size = found["memory"]
        rows.append(
            (
                line["item"],
                scaled(found["parameters"]),
                *(scaled(found["tokens per second"][one]) for one in ("this way", BARE)),
                f"{ratio['ratio']:.2f} [{ratio['low']:.2f}, {ratio['high']:.2f}]",
                "–" if size is None else memory(size),
            )
        )
    head = ("model and way", "parameters", "tokens/s", "of a bare loop", "time over it", "memory")
    return table(head, rows, "l" + "r" * 5)


def evidence(lines: Sequence[Line]) -> str:
    """Return one row per call: the finished runs, and how busy they kept the GPU."""
    rows = []
    for line in measured(lines):
        found, card = line["found"], line["found"]["card"]
        rate = found["steps per second"]
        rows.append(
            (
                line["item"],
                str(len(found["ended"])),
                str(found["side by side"]),
                "–" if rate is None else digits(rate),
                *(f"{card[name]:.0f}" if name in card else "–" for name in ("busy %", "power W")),
            )
        )
    head = ("call", "runs ended", "side by side", "steps/s of all", "card busy, %", "power, W")
    return table(head, rows, "l" + "r" * 5)


def main() -> None:
    """Copy the records of a folder, if one is given, and regenerate the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", help="folder of `python -m benchmarks.gpu`")
    options = parser.parse_args()
    if options.folder is not None:
        lines = list(read(options.folder / ITEMS))
        if not lines or lines[0]["machine"]["card"] == "none":
            parser.error(f"{options.folder}: has no records of a GPU")
        write_whole(COMMITTED, "".join(json.dumps(line) + "\n" for line in lines))
        print(f"{COMMITTED}: {plural(len(lines), 'record')}")
    PAGE.write_text(with_tables(PAGE.read_text(), list(read(COMMITTED))))


if __name__ == "__main__":
    main()
