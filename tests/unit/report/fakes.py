"""Records, claims and verdicts to report on, and a page taken apart."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import write_all
from moebench.papers.claim import NOT_JUDGED, Claim, Paper, VerdictLabel
from moebench.testing.verdicts import claim_of, run
from moebench.verdict import Verdict
from moebench.verdict.comparisons import Difference

PAPER = Paper(key="p", title="Sparse & <bold>", authors="A. Nobody", year=2021, arxiv="2101.03961")
HOSTILE = '<script>alert("$x_1$")</script>&'
VOID = {"meta", "link", "br", "hr", "img", "input"}


def record(arm: str, seed: int = 0, **changes: Any) -> RunRecord:
    """A run of 4 steps; `metrics` among the changes take the place of all."""
    given = run(
        arm,
        seed,
        target="p",
        profile="quick",
        commit="abc123",
        versions={"torch": "2.13"},
        hardware={"processor": "Chip <1>", "cores": 2},
        data_hash="d4t4",
        steps=4,
        tokens=400,
        params_total=5_400_000,
        params_active=1_000_000,
        flops_per_token=2e6,
        seconds=8.0,
        tokens_per_second=50.0,
        peak_memory_bytes=3 * 2**20,
        metrics={"valid/loss": 3.0 + seed, "valid/loss@2": 4.0 + seed, "valid/loss@4": 3.0 + seed},
    )
    return replace(given, **changes)


def history(experts: int = 0, day: int = 1) -> list[dict[str, float]]:
    share = {f"load/0/{expert}": 1 / experts for expert in range(experts)}
    routing = {"route/dropped": 0.125, **share} if experts else {}
    lines = [
        {"step": s, "time": 86400.0 * day + s, "train/loss": 5.0 - s, **routing} for s in (0, 2)
    ]
    return [*lines, {"step": 4, "time": 86400.0 * day + 4, "valid/loss": 3.5}]


def make(
    folder: Path,
    records: Sequence[RunRecord],
    histories: Mapping[tuple[str, int], Sequence[Mapping[str, float]]] | None = None,
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for (arm, seed), lines in (histories or {}).items():
        (folder / arm / f"seed_{seed}").mkdir(parents=True)
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / arm / f"seed_{seed}" / "history.jsonl").write_text(text)
    write_all(records, folder / "results.jsonl")
    return folder


def claim(key: str, **changes: Any) -> Claim:
    given: dict[str, Any] = {
        "key": key,
        "says": f"Statement {key} & more.",
        "source": "table 1",
        "paper_values": {"loss_gap": -1.5, "sizes": [1, 2]},
        "matched_on": "active_flops",
        "test": Difference(first="switch", second="dense", margin=0.02),
        "seeds": 5,
    }
    return claim_of(**given | changes)


def verdict(of: Claim, word: VerdictLabel = VerdictLabel.REPRODUCED, **changes: Any) -> Verdict:
    summary = {"mean": 3.5, "sd": None, "n": 1, "failed": {"diverged": 1}}
    cost = {"params_total": 5.4e6, "params_active": 1e6, "flops_per_token": 2e6}
    judged: dict[str, Any] = {
        "effect": -0.1234,
        "low": -0.1502,
        "high": -0.0968,
        "interval": "t",
        "n": 3,
        "p_adjusted": 0.0123,
    }
    if word in NOT_JUDGED:
        judged = {}
    given: dict[str, Any] = {
        "claim": of.key,
        "version": of.version,
        "says": of.says,
        "source": of.source,
        "verdict": word,
        "why": f"Because of {of.key}.",
        "unit": of.test.unit if of.test else "",
        "asked": of.seeds,
        "of_paper": of.of_paper,
        "control_of": of.control_of,
        "expects": of.expects,
        "uncontrolled": of.uncontrolled,
        "paper_values": of.paper_values,
        "measured": {"switch": {**summary, "floor": 0.25}, "dense": summary},
        "matched_on": of.matched_on,
        "costs": {"switch": {**cost, "seconds_per_step": 2.0}, "dense": {}},
        **judged,
    }
    return Verdict(**given | changes)


class Page(HTMLParser):
    """A page taken apart; fails on a tag closed out of turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str]] = []
        self.headings: list[str] = []
        self.words: list[str] = []
        self.cells: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open
        self.cells = [" ".join(cell.split()) for cell in self.cells]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)
        if tag in {"td", "th"}:
            self.cells.append("")
        if tag in {"h1", "h2", "h3"}:
            self.headings.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            return
        self.words.append(data)
        if {"td", "th"} & set(self.open):
            self.cells[-1] += data
        if {"h1", "h2", "h3"} & set(self.open):
            self.headings[-1] += data

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


CLAIMS = [
    claim("C1", seeds=7),
    claim(
        "C2", test=Difference(first="switch", second="dense", unit="ratio"), uncontrolled="None."
    ),
    claim("C3", version=2, test=None, because="Big."),
    claim("C1n", control_of="C1", expects="no effect"),
    claim("C4", ours=True),
]
VERDICTS = [
    verdict(
        CLAIMS[0],
        preliminary=True,
        controls={"C1n": "null control failed"},
        unequal={"switch to dense": 1.4},
        replicate="speaker order",
    ),
    verdict(CLAIMS[1], VerdictLabel.NOT_REPRODUCED, effect=0.9, low=0.8, high=1.0),
    verdict(CLAIMS[2], VerdictLabel.NOT_TESTABLE),
    verdict(CLAIMS[3], VerdictLabel.FAILED, p=0.0456, p_adjusted=None),
    verdict(CLAIMS[4], VerdictLabel.PARTIAL, p=0.5, p_adjusted=None),
]
GROUPS = {"Main group": ["dense", "switch"]}
SECTIONS = [
    "Verdicts",
    "Effects",
    "Validation loss",
    "Load of the experts",
    "Dropped assignments",
    "Costs",
    "Failures",
    "Not judged",
]


def smallest_text(html: str) -> float:
    """Height in pixels of the smallest text of all figures on a screen of 420 pixels."""
    beside_margins = 420 - 2 * 16
    return min(
        min(map(float, re.findall(r"font-size: ([\d.]+)px", body)))
        * min(1.0, beside_margins / float(width))
        for width, body in re.findall(
            r'viewBox="0 0 ([\d.]+) [^>]*?role="img"(.*?)</svg>', html, re.S
        )
        if "font-size" in body
    )
