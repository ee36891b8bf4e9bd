import base64
import io
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from markupsafe import Markup
from PIL import Image

from moebench import report
from moebench.claims import NOT_JUDGED, Claim, Paper, Word
from moebench.data.overlap import RUN
from moebench.plan import PaperTable
from moebench.records import RunRecord, write_all
from moebench.report import wording
from moebench.report.figures import Effect, forest, load_map
from moebench.report.overlap import overlap_told, overlaps
from moebench.report.runs import (
    LoadMap,
    Run,
    bands,
    load,
    load_maps,
    logged,
    losses,
    read_history,
    representative,
)
from moebench.report.theme import Stroke
from moebench.verdict import Verdict
from moebench.verdict.comparisons import Difference

PAPER = Paper(key="p", title="Sparse & <bold>", authors="A. Nobody", year=2021, arxiv="2101.03961")
HOSTILE = '<script>alert("$x_1$")</script>&'
VOID = {"meta", "link", "br", "hr", "img", "input"}


def record(arm: str, seed: int = 0, **changes: Any) -> RunRecord:
    given = RunRecord(
        target="p",
        profile="quick",
        arm=arm,
        seed=seed,
        status="finished",
        config_hash="c",
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
        "level": "scaled-cpu",
    }
    return Claim(**given | changes)


def verdict(of: Claim, word: Word = Word.REPRODUCED, **changes: Any) -> Verdict:
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
        unequal={"switch/dense": 1.4},
        replicate="speaker order",
    ),
    verdict(CLAIMS[1], Word.NOT_REPRODUCED, effect=0.9, low=0.8, high=1.0),
    verdict(CLAIMS[2], Word.NOT_TESTABLE),
    verdict(CLAIMS[3], Word.FAILED, p=0.0456, p_adjusted=None),
    verdict(CLAIMS[4], Word.PARTIAL, p=0.5, p_adjusted=None),
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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    records = [record(arm, seed) for arm in ("dense", "switch", HOSTILE) for seed in (0, 1)]
    records.append(record("switch", 2, status="diverged", metrics={}))
    histories = {
        ("dense", 0): history(),
        ("switch", 0): history(4),
        ("switch", 1): history(4, day=2),
    }
    return make(tmp_path_factory.mktemp("runs"), records, histories)


@pytest.fixture(scope="module")
def html(folder: Path) -> str:
    return report.render(folder, PAPER, CLAIMS, VERDICTS, GROUPS)


def test_the_page_is_well_formed_and_in_order(html: str) -> None:
    page = Page(html)
    assert [name for name in page.headings if name in SECTIONS] == SECTIONS
    assert page.headings[0] == PAPER.title
    assert page.tags["h1"] == page.tags["main"] == 1
    identifiers = [value for name, value in page.attributes if name == "id"]
    assert len(identifiers) == len(set(identifiers))


def test_figures_can_be_read_without_eyes(html: str) -> None:
    page = Page(html)
    labels = [value for name, value in page.attributes if name == "aria-label"]
    assert any("dense ends at 3.5" in label for label in labels)  # mean of 3 and 4
    assert any("C1 -0.123, reproduced" in label for label in labels)
    assert page.tags["svg"] > 0
    assert html.count('role="img"') + html.count('aria-hidden="true"') >= page.tags["svg"]


def test_every_claim_and_its_numbers_appear(html: str) -> None:
    page = Page(html)
    for one in CLAIMS:
        assert one.says in page.text
        assert f"Because of {one.key}." in page.text
    assert "−0.123 nats[−0.150, −0.097]" in page.cells
    assert "0.90 ratio[0.80, 1.00]" in page.cells
    assert "0.012" in page.cells
    assert "● reproduced preliminary, 3 of 7 speaker orders" in page.cells
    assert page.cells.count("3speaker orders") == 1
    assert "loss gap −1.5" in page.text
    assert "sizes 1, 2" in page.text
    assert "C3, version 2" in page.text
    assert "active FLOPs a token" in page.text
    assert "0.250" in page.cells  # a figure that only one arm has
    assert page.cells.count("1 diverged") == 8


def test_controls_and_additions_stand_apart(html: str) -> None:
    above, _, below = html.partition("Controls, and claims that the paper does not make</h3>")
    cells = Page(html).cells
    assert cells.index("adjusted p") < cells.index("p")
    assert all(f'id="{key}"' in below and f'id="{key}"' not in above for key in ("C1n", "C4"))
    assert "⊠ control failed" in cells
    assert "0.046" in cells, "its own p"
    [summary] = re.findall(r'<ul class="summary".*?</ul>', html, re.DOTALL)
    assert " ".join(Page(summary).text.split()) == (
        "● 1 reproduced ✕ 1 not reproduced – 1 not testable here"
    )


def test_what_stands_beside_a_verdict_is_told(html: str) -> None:
    text = Page(html).text
    assert "null control failed (C1n) FLOPs ×1.40 (switch/dense) n: speaker orders" in text
    assert '<li class="failed">null control failed (C1n)</li>' in html
    assert '<li class="flag">FLOPs ×1.40 (switch/dense)</li>' in html
    assert "no control [1]" in text
    assert "[1] None." in text
    assert "null control of C1" in text


def test_what_was_run_is_said(html: str) -> None:
    text = Page(html).text
    assert (
        "7 runs of 3 arms, 6 finished, made 1970-01-02 to 1970-01-03 (UTC); 56 s in training steps"
        in text
    )
    assert "Machine: Chip <1>, 2 cores. Versions: torch 2.13. Data: d4t4 . Commit: abc123 ." in text
    assert "Validation text" not in text, "its overlap is not on record"


def test_notices_and_hashes_are_fit_to_read(tmp_path: Path) -> None:
    make(tmp_path, [record("dense", data_hash="0123456789abcdef" * 4)])
    notices = ["made from version 1 of the data `Text`, which <b>"]
    html = report.render(tmp_path, PAPER, [], [], {}, notices=notices)
    assert "of the data <code>Text</code>, which &lt;b&gt;</p>" in html
    assert "Data: <code>0123456789abcdef</code>." in html


def test_the_overlap_of_training_and_validation_text_is_said(tmp_path: Path) -> None:
    overlap = {"data/overlap": 0.0123, "data/overlap/art": 0.0, "data/overlap/law": 0.0456}
    one = record("dense")
    records = [replace(one, seed=n, metrics={**one.metrics, **overlap}) for n in range(2)]
    make(tmp_path, records)
    text = Page(report.render(tmp_path, PAPER, [], [], {})).text
    assert (
        "Data: d4t4 . Validation text that stands in the training text, in runs of 32 tokens: "
        "1.23% (art 0.00%, law 4.56%)." in text
    )


def test_each_overlap_is_said_once() -> None:
    text = {"data/overlap": 0.0123, "data/overlap/art": 0.0, "data/overlap/law": 0.0456}
    other = {"data/overlap": 0.5, "data/overlap/only": 0.5}
    known = [record("a", metrics=metrics) for metrics in (text, other, text, {"valid/loss": 1.0})]
    assert overlaps(known) == [text, other]
    told = overlap_told(overlaps(known))
    assert told.endswith(f"in runs of {RUN} tokens: 1.23% (art 0.00%, law 4.56%); 50.00%")
    assert overlap_told(overlaps([record("a")])) == "", "no text, or an older record"


def test_failures_and_costs_are_listed(html: str) -> None:
    cells = Page(html).cells
    at = cells.index("5.40 M", cells.index("peak memory"))
    assert cells[at : at + 6] == ["5.40 M", "1.00 M", "2.00 M", "2.00", "50.0", "3.0 MiB"]
    at = cells.index("status")
    assert cells[at + 2 : at + 6] == ["switch", "2", "diverged", "4"]


def test_nothing_is_fetched(html: str) -> None:
    page = Page(html)
    assert html.count("http") == 1
    assert ("href", "https://arxiv.org/abs/2101.03961") in page.attributes
    assert not {"script", "link", "iframe", "img", "object"} & set(page.tags)
    assert "@import" not in html
    assert html.count("url(") == html.count("url(#")
    links = [value for name, value in page.attributes if name in {"src", "href", "xlink:href"}]
    assert all(link.startswith(("#", "data:image/png;base64,", "https://arxiv")) for link in links)


def test_a_hostile_name_stays_a_name(html: str) -> None:
    page = Page(html)
    assert page.words.count(HOSTILE) >= 2  # legend of the other arms, costs
    assert page.tags["script"] == page.tags["bold"] == 0
    assert "Other arms" in page.headings
    labels = [value for name, value in page.attributes if name == "aria-label"]
    assert any(f"{HOSTILE} ends at 3.5" in label for label in labels)


def test_a_dollar_sign_is_no_formula() -> None:
    assert ">$x_1$</text>" in forest([Effect(VERDICTS[0], 0.0)], "$x_1$")


def test_figures_follow_the_theme(html: str) -> None:
    assert "#fe00" not in html
    assert "stroke: var(--arm-1)" in html
    assert "prefers-color-scheme: dark" in html


def test_equal_input_gives_an_equal_page(folder: Path, html: str) -> None:
    assert report.render(folder, PAPER, CLAIMS, VERDICTS, GROUPS) == html


@pytest.mark.parametrize(
    ("records", "histories", "says"),
    [
        ([], {}, "No training run is on record."),
        ([record("switch", status="failed", steps=0, seconds=0.0)], {}, "No run finished"),
        ([record("switch", metrics={})], {}, "No finished run has a validation curve."),
        (
            [record("dense")],
            {("dense", 0): history()},
            "No run in this folder logged the load of its experts.",
        ),
        ([record("switch")], {("switch", 0): history(1)}, "switch, seed 0"),
        ([record("sums", steps=0, data_hash="")], {}, "No training run is on record."),
        ([record("switch", status="diverged")], {("switch", 0): history(2)}, "switch, seed 0"),
    ],
    ids=["empty", "failed", "no curve", "dense only", "one seed", "computed", "diverged"],
)
def test_missing_pieces_are_said(
    records: list[RunRecord], histories: dict[Any, Any], says: str, tmp_path: Path
) -> None:
    untested = verdict(CLAIMS[2], Word.NOT_TESTABLE, measured={}, costs={})
    html = report.render(make(tmp_path, records, histories), PAPER, CLAIMS[2:3], [untested], {})
    page = Page(html)
    assert says in page.text
    assert "No claim could be judged by these runs" in page.text


def test_a_verdict_without_interval_or_p_is_shown(tmp_path: Path) -> None:
    bare = replace(VERDICTS[0], interval="one value", p_adjusted=None, low=None, high=None)
    html = report.render(make(tmp_path, []), PAPER, [CLAIMS[0]], [bare], {})
    assert "−0.123 nats" in Page(html).cells
    assert "Effects" not in Page(html).headings


def test_a_claim_without_verdict_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match="C2, C3, C1n, C4: no verdict"):
        report.render(folder, PAPER, CLAIMS, VERDICTS[:1], GROUPS)


def test_write_keeps_the_old_page_when_it_fails(tmp_path: Path) -> None:
    path = report.write(make(tmp_path, []), PAPER, [], [], {})
    assert path == tmp_path / "report.html"
    before = path.read_text()
    assert "Every claim could be judged." in before
    with pytest.raises(ValueError, match="C1"):
        report.write(tmp_path, PAPER, CLAIMS, [], {})
    assert path.read_text() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["report.html", "results.jsonl"]


def test_drawing_libraries_wait_until_a_page_is_made() -> None:
    code = (
        "import sys, moebench.report; print({'matplotlib', 'jinja2', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_band_holds_mean_and_range_at_shared_steps() -> None:
    first = record("a", 0, metrics={"valid/loss@2": 4.0, "valid/loss@4": 3.0, "valid/loss@0": 9.0})
    second = record(
        "a", 1, metrics={"valid/loss@4": 2.0, "valid/loss@6": 1.0}, tokens_per_second=25.0
    )
    never = record("a", 2, status="diverged")
    found = bands([Run(first), Run(second), Run(never)], losses)["a"]
    assert (found.step.tolist(), found.mean.tolist()) == ([4.0], [2.5])
    assert (found.low.tolist(), found.high.tolist()) == ([2.0], [3.0])
    assert (found.seeds, found.seconds_per_step) == (
        2,
        3.0,
    )  # 100 tokens a step at 50 and at 25 a second


def test_losses_come_from_the_history_where_the_record_has_none() -> None:
    lines: list[dict[str, float]]
    lines = [{"step": 0, "valid/loss": 8.0}, {"step": 5, "valid/loss": 2.0}, {"step": 7}]
    assert losses(Run(record("a", metrics={}), lines)) == {5: 2.0}
    assert logged(Run(record("a"), lines), "valid/loss") == {0: 8.0, 5: 2.0}


def test_runs_without_a_shared_step_have_no_band() -> None:
    first, second = ({"valid/loss@2": 4.0}, {"valid/loss@3": 4.0})
    runs = [Run(record("a", 0, metrics=first)), Run(record("a", 1, metrics=second))]
    assert bands(runs, losses) == {}


def test_a_line_cut_short_is_left_out_and_a_bad_one_named(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text('{"step": 4}\n{"step": 2}\n{"ste')
    assert read_history(path) == [{"step": 2}, {"step": 4}]
    path.write_text('{"step": 4}\n{"time": 2}\n')
    with pytest.raises(ValueError, match=r"history\.jsonl:2: not a line of a history"):
        read_history(path)
    assert read_history(tmp_path / "none.jsonl") == []


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"results\.jsonl"):
        load(tmp_path)


def test_load_maps_are_ordered_by_layer() -> None:
    lines = [
        {"step": 0, "load/10/0": 0.25, "load/10/1": 0.75, "load/2/0": 1.0},
        {"step": 3, "train/loss": 1.0},
        {"step": 4, "load/10/1": 0.5, "load/2/0": 1.0},
    ]
    two, ten = load_maps(Run(record("a"), lines))
    assert (two.layer, ten.layer) == ("2", "10")
    assert ten.step.tolist() == [0.0, 4.0]
    np.testing.assert_array_equal(ten.share_SE, [[0.25, 0.75], [np.nan, 0.5]])


def test_the_representative_run_finished_and_has_loads() -> None:
    lines = history(2)
    runs = [
        Run(record("a", 0, status="diverged"), lines),
        Run(record("a", 1)),
        Run(record("a", 3), lines),
        Run(record("a", 2), lines),
        Run(record("b", 0, status="diverged"), lines),
    ]
    assert {arm: run.record.seed for arm, run in representative(runs).items()} == {"a": 2, "b": 0}


def test_the_even_share_is_clear_and_colours_saturate_at_four_times() -> None:
    # Shares of 8 experts: none, even, twice even, five times even.
    share_SE = np.array([[0, 1 / 8, 2 / 8, 5 / 8, 0, 0, 0, 0]])
    svg = load_map([LoadMap("0", np.array([0.0]), share_SE)], "arm")
    encoded = svg.partition("base64,")[2].partition('"')[0]
    image = Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGBA")
    column = np.array(image)[:, 0].astype(int)
    rows = column.reshape(8, -1, 4)[:, 0] if len(column) > 8 else column
    assert rows[0].tolist() == [0x35, 0x85, 0xC6, 255]
    assert rows[1][3] <= 2
    assert rows[2][3] == pytest.approx(128, abs=3)
    assert rows[3].tolist() == [0xD9, 0x62, 0x2B, 255]


def test_26_arms_are_told_apart() -> None:
    strokes = [Stroke(index) for index in range(26)]
    assert len({(stroke.variable, stroke.dash_array) for stroke in strokes}) == 26


def test_markdown_table() -> None:
    lines = report.markdown_table(VERDICTS).splitlines()
    assert lines[0] == (
        "| claim | verdict | statement | paper | effect [95% interval] | n | adjusted p "
        "| beside it |"
    )
    assert lines[2] == (
        "| C1 | ● reproduced\\* | Statement C1 & more. | table 1; loss gap −1.5; sizes 1, 2 "
        "| −0.123 \\[−0.150, −0.097\\] nats | 3 | 0.012 "
        "| null control failed (C1n); FLOPs ×1.40 (switch/dense); n: speaker orders |"
    )
    assert lines[3].endswith("| no control \\[1\\] |")
    assert lines[4].startswith("| C3 | – not testable here |")
    assert lines[4].endswith("|  |  |  |  |")
    assert lines[6] == "Controls, and claims that the paper does not make; their p is not adjusted."
    assert lines[8].split(" | ")[6] == "p"
    assert lines[10].startswith("| C1n | ⊠ control failed | ")
    assert lines[10].endswith("| 0.046 | null control of C1 |")
    assert lines[13] == "\\* preliminary: fewer runs than the claim asks for."
    assert lines[15] == "\\[1\\] None."


def test_markdown_counts_what_the_paper_says_and_the_rest_apart() -> None:
    found = {"[one](a)": VERDICTS, "[two](b)": [verdict(CLAIMS[2], Word.NOT_IMPLEMENTED)]}
    head, _, one, two = report.markdown_counts(found).splitlines()
    assert [cell.strip() for cell in head.split("|")[1:-1]] == [
        *("paper", "statements", "● reproduced", "◐ partial", "✕ not reproduced"),
        *("○ inconclusive", "– not implemented", "– not testable here", "controls", "ours besides"),
    ]
    assert one == "| [one](a) | 3 | 1 | 0 | 1 | 0 | 0 | 1 | 1 failed | 1 partial |"
    assert two == "| [two](b) | 1 | 0 | 0 | 0 | 0 | 1 | 0 |  |  |"
    not_run = [verdict(CLAIMS[3], Word.NEEDS_FULL), verdict(CLAIMS[3], Word.PASSED)]
    *_, row = report.markdown_counts({"[x](y)": not_run}).splitlines()
    assert row.endswith("| 1 passed, 1 not judged |  |")


def test_markdown_reasons_are_one_line_a_claim() -> None:
    first = replace(VERDICTS[0], why="a beats b_1:\nholds, 2 [1, 3] nats.")
    lines = report.markdown_reasons([first, VERDICTS[1]]).splitlines()
    assert lines[0] == f"* **{first.claim}** a beats b\\_1: holds, 2 \\[1, 3\\] nats."
    assert len(lines) == 2


def test_the_points_of_a_search_share_a_row_of_costs() -> None:
    points = [record("many/0.1,2"), record("many/0.2,1"), record("many/0.2,1", seed=1)]
    _, _, *rows = report.markdown_costs(
        [*points, record("one/0.1"), record("one/0.2")]
    ).splitlines()
    assert [row.split(" | ")[:2] for row in rows] == [
        ["| many, all points", "3"],
        ["| one/0.1", "1"],
        ["| one/0.2", "1"],
    ]


def test_the_points_of_a_search_are_left_to_its_own_report(tmp_path: Path) -> None:
    records = [record("many/0.1,2"), record("many/0.2,1"), record("one/0.1")]
    html = report.render(make(tmp_path / "a", records), PAPER, [], [], {})
    assert "Not drawn here: the points of many, which" in html
    [legend] = re.findall(r'<ol class="legend".*?</ol>', html, re.DOTALL)
    assert "one/0.1" in legend
    assert "many" not in legend
    alone = report.render(make(tmp_path / "b", records[2:]), PAPER, [], [], {})
    assert "Not drawn here" not in alone


def test_markdown_costs_are_means_over_finished_trainings() -> None:
    records = [
        record("a|b", 0),
        record("a|b", 1, tokens_per_second=25.0, params_total=5_600_000),
        record("a|b", 2, status="diverged", tokens_per_second=0.4),
        record("sums", steps=0),
    ]
    _, _, *rows = report.markdown_costs(records).splitlines()
    assert rows == ["| a\\|b | 2 | 5.50 M | 1.00 M | 2.00 M | 3.00 | 37.5 | 3.0 MiB |"]


def test_runs_that_leak_are_marked_with_a_footnote(tmp_path: Path) -> None:
    leaky = [record("a", 0), record("a", 1, leaks="later tokens"), record("b", leaks="unknown")]
    *rows, blank, note = report.markdown_costs([*leaky, record("c")]).splitlines()
    assert [row.split(" | ")[0] for row in rows[2:]] == ["| a†", "| b†", "| c"]
    assert not blank
    told = "† causal, but its routing depends on more than the tokens so far: later tokens, unknown"
    assert note == f"{told}."
    assert note in report.render(make(tmp_path / "a", leaky), PAPER, [], [], {})
    assert "†" not in report.markdown_costs([record("c")])
    assert "†" not in report.render(make(tmp_path / "b", [record("c")]), PAPER, [], [], {})


def test_drawings_of_a_paper_come_before_curves_and_in_their_place(tmp_path: Path) -> None:
    drawn = [report.Drawing("Figure 2", "Lines <of> experts.", [Markup("<svg>it</svg>")])]
    html = report.render(make(tmp_path / "a", []), PAPER, [], [], {}, drawn)
    assert "Figures as in the paper" in html
    assert "Lines &lt;of&gt; experts." in html
    assert "<svg>it</svg>" in html
    assert "No finished run has a validation curve" not in html
    plain = report.render(make(tmp_path / "b", []), PAPER, [], [], {})
    assert "Figures as in the paper" not in plain
    assert "No finished run has a validation curve" in plain


def test_tables_of_a_paper_stand_on_the_page_and_in_markdown(tmp_path: Path) -> None:
    table = PaperTable("t", "Table 6", "Rows <of> it.", ["weights", "paper"], [["0|0", "39.8"]])
    html = report.render(make(tmp_path / "a", []), PAPER, [], [], {}, tables=[table])
    assert "Rows &lt;of&gt; it." in html
    assert '<tr><th scope="row">0|0</th><td>39.8</td></tr>' in html
    assert "Tables of the paper" not in report.render(make(tmp_path / "b", []), PAPER, [], [], {})
    *_, row = report.markdown_paper_table(table).splitlines()
    assert row == "| 0\\|0 | 39.8 |"


def test_fill_replaces_one_block() -> None:
    text = "a\n<!-- begin:x -->\nold\n<!-- end:x -->\nb <!-- begin:y -->"
    filled = report.fill(text, "x", "| new |\n")
    assert filled == "a\n<!-- begin:x -->\n| new |\n<!-- end:x -->\nb <!-- begin:y -->"
    assert report.fill(filled, "x", "| new |") == filled


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<!-- end:x -->", "<!-- begin:x -->: expected once in the text, found 0"),
        ("<!-- begin:x -->", "<!-- end:x -->: expected once in the text, found 0"),
        ("<!-- begin:x --><!-- end:x --><!-- end:x -->", "found 2"),
        ("<!-- end:x --><!-- begin:x -->", "<!-- end:x -->: expected after <!-- begin:x -->"),
    ],
)
def test_fill_names_the_marker_at_fault(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        report.fill(text, "x", "")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (0, "0"),
        (0.5, "0.500"),
        (999, "999"),
        (999.6, "1.00 k"),
        (1234, "1.23 k"),
        (123_456_789, "123 M"),
        (2e18, "2,000 P"),
    ],
)
def test_scaled(value: float, says: str) -> None:
    assert wording.scaled(value) == says


@pytest.mark.parametrize(
    ("value", "says"),
    [(0.04, "0.0400"), (0.09996, "0.100"), (-2, "−2.00"), (1234.5, "1,230"), (np.inf, "inf")],
)
def test_digits(value: float, says: str) -> None:
    assert wording.digits(value) == says


@pytest.mark.parametrize(
    ("effect", "low", "high", "unit", "says"),
    [
        (-0.1234, -0.1502, -0.0968, "nats", ("−0.123", "[−0.150, −0.097]")),
        (0.00001, -0.5, 0.5, "nats", ("0.00", "[−0.50, +0.50]")),
        (1100.4, 1000.0, 1200.0, "epochs", ("+1,100", "[+1,000, +1,200]")),
        (1.42, 1.35, 1.49, "ratio of steps", ("1.420", "[1.350, 1.490]")),
        (0.0, 0.0, 0.0, "share", ("0", "")),
        (0.01234, None, None, "share", ("+0.0123", "")),
        (-3.52e-15, None, None, "deviation", ("−3.5e−15", "")),
        (2.0, 1.5, None, "ratio", ("2.00", "[1.50, ∞]")),
        (-2.0, None, -1.5, "nats", ("−2.00", "[−∞, −1.50]")),
        (None, None, None, "share", ("", "")),
    ],
)
def test_effect_and_interval_share_their_decimals(
    effect: float | None, low: float | None, high: float | None, unit: str, says: tuple[str, str]
) -> None:
    shown = replace(VERDICTS[0], effect=effect, low=low, high=high, unit=unit)
    assert wording.effect(shown) == says


def test_p_and_durations() -> None:
    assert [wording.p_value(p) for p in (None, 0.0, 0.0009, 0.0123, 1.0)] == [
        *("", "< 0.001", "< 0.001", "0.012", "1"),
    ]
    assert [wording.duration(s) for s in (41.6, 150, 12_000)] == ["42 s", "2 min", "3 h 20 min"]
