"""What the page shows, and in which order."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup

from moebench import report
from moebench.evidence.record import RunRecord
from moebench.papers.claim import VerdictLabel

from .fakes import (
    CLAIMS,
    PAPER,
    SECTIONS,
    VERDICTS,
    Page,
    history,
    make,
    record,
    smallest_text,
    verdict,
)


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


def test_a_phone_shows_figures_that_can_be_read(html: str) -> None:
    assert smallest_text(html) >= 10


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
        "2 statements judged: ● 1 reproduced ✕ 1 not reproduced Not judged: 1 (not testable here)"
    )


def test_what_stands_beside_a_verdict_is_told(html: str) -> None:
    text = Page(html).text
    assert "null control failed (C1n) FLOPs ×1.40 (switch to dense) n: speaker orders" in text
    assert '<li class="failed">null control failed (C1n)</li>' in html
    assert '<li class="flag">FLOPs ×1.40 (switch to dense)</li>' in html
    assert "no control [1]" in text
    assert "[1] None." in text
    assert "null control of C1" in text


def test_what_was_run_is_said(html: str) -> None:
    text = Page(html).text
    assert "6 of 7 runs finished, made 1970-01-02 to 1970-01-03 (UTC)." in text
    assert "This took 7 runs of 3 arms and 56 s of training" in text
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
        "Data: d4t4 . Validation text that the training text has too, in stretches of 32 tokens: "
        "1.23% (art 0.00%, law 4.56%)." in text
    )


def test_failures_and_costs_are_listed(html: str) -> None:
    cells = Page(html).cells
    at = cells.index("5.40 M", cells.index("peak memory"))
    assert cells[at : at + 6] == ["5.40 M", "1.00 M", "2.00 M", "2.00", "50.0", "3.0 MiB"]
    at = cells.index("status")
    assert cells[at + 2 : at + 6] == ["switch", "2", "diverged", "4"]


def test_records_that_keep_their_load_show_it_without_a_history(tmp_path: Path) -> None:
    kept = record("switch", steps=10, metrics={"route/max_over_mean@10": 1.5})
    page = Page(report.render(make(tmp_path, [kept]), PAPER, [], [], {}))
    assert ("aria-label", "Load of the busiest expert over training: switch from 1.5 to 1.5") in (
        page.attributes
    )
    assert "as a multiple of its even share" in page.text
    assert "No run in this folder logged the load of its experts." not in page.text


@pytest.mark.parametrize(
    ("records", "histories", "says"),
    [
        ([], {}, "No training run is on record."),
        (
            [record("switch", status="failed", steps=0, seconds=0.0)],
            {},
            "costs are those of trained arms, of which none finished",
        ),
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
    untested = verdict(CLAIMS[2], VerdictLabel.NOT_TESTABLE, measured={}, costs={})
    html = report.render(make(tmp_path, records, histories), PAPER, CLAIMS[2:3], [untested], {})
    page = Page(html)
    assert says in page.text
    assert "No claim could be judged by these runs" in page.text


def test_a_verdict_without_interval_or_p_is_shown(tmp_path: Path) -> None:
    bare = replace(VERDICTS[0], interval="one value", p_adjusted=None, low=None, high=None)
    html = report.render(make(tmp_path, []), PAPER, [CLAIMS[0]], [bare], {})
    assert "−0.123 nats" in Page(html).cells
    assert "Effects" not in Page(html).headings


def test_the_points_of_a_search_are_left_to_its_own_report(tmp_path: Path) -> None:
    records = [record("many/0.1,2"), record("many/0.2,1"), record("one/0.1")]
    html = report.render(make(tmp_path / "a", records), PAPER, [], [], {})
    assert "Not drawn here: the points of many, which" in html
    [legend] = re.findall(r'<ol class="legend".*?</ol>', html, re.DOTALL)
    assert "one/0.1" in legend
    assert "many" not in legend
    alone = report.render(make(tmp_path / "b", records[2:]), PAPER, [], [], {})
    assert "Not drawn here" not in alone


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
