"""Verdicts are wrong as rarely as stated, in worlds whose truth is known.

The whole table is `python -m benchmarks.verdicts`; this is a short form of it.
"""

from collections.abc import Callable

import pytest

from benchmarks.rates import PAGE, committed, missed, with_rates
from benchmarks.verdicts import ERRORS, SEEDS, coverage, share, word
from benchmarks.worlds import WORLDS, generator, of_claims, of_losses
from moebench.statistics import Values
from moebench.testing.verdicts import runs, verdict_of
from moebench.verdict.remarks import FEW, few_values_note

CLAIMS = 500


# Rules that are too lax show in one cell more than in others: the last one has a wide interval, in
# which an effect that is too small to count looks like one that does.
@pytest.mark.parametrize(
    ("world", "n", "spread"),
    [
        ("normal", 3, 1.0),
        ("t(3)", 5, 4.0),
        ("resampled losses", 10, 1.0),
        ("normal", 25, 2.75),
    ],
)
def test_every_kind_of_error_is_rare(world: str, n: int, spread: float) -> None:
    found = {kind: share(kind, world, CLAIMS, n, spread) for kind in ERRORS}
    assert {kind: rate for kind, rate in found.items() if missed(kind, rate)} == {}


@pytest.mark.parametrize("n", [3, 10])
def test_intervals_contain_the_truth(n: int) -> None:
    found = coverage("normal", 1000, n)
    assert {kind: rate for kind, rate in found.items() if missed(kind, rate)} == {}


@pytest.mark.parametrize("kind", ERRORS)
def test_a_simulated_claim_gets_the_word_that_judge_has_for_its_runs(kind: str) -> None:
    error = ERRORS[kind]
    found = set()
    for spread in (0.25, 4.0):
        for world in error.worlds(WORLDS["skewed down"], generator(kind), 10, 3, spread):
            records = runs(**{arm: losses.tolist() for arm, losses in world.losses.items()})
            found.add(word(error.test, world))
            assert word(error.test, world) is verdict_of(error.test, records).verdict
    assert len(found) > 1  # one word alone would say little


@pytest.mark.parametrize(("published", "many"), [(of_losses, 450), (of_claims, 1000)])
def test_published_differences_are_resampled_unchanged(
    published: Callable[[], Values], many: int
) -> None:
    values = published()
    assert len(values) >= many  # ten arms of ten seeds; most arms of the paper of 1991
    assert abs(values.mean()) < 1e-9
    assert values.std() == pytest.approx(1)


def test_a_rate_beyond_its_bar_is_marked() -> None:
    rates = {"an error": 0.05, "another": 0.051, "coverage, mean": 0.92, "coverage, ratio": 0.97}
    line = {"settings": {"claims": 1900}, "ratios": {"normal, n = 3": rates}}
    page = with_rates("<!-- begin:rates -->\n<!-- end:rates -->", line)
    assert "a true rate of 5% shows within 1.0 points" in page
    assert [line.split(" | ")[1] for line in page.splitlines()[5:9]] == [
        *("5.0 |", "✕5.1 |", "✕92.0 |", "97.0 |")
    ]


def test_the_footnote_on_few_values_matches_the_measured_rates() -> None:
    """If differences are skewed, one verdict in ten is wrong, not one in twenty or in six."""
    cells = committed()["ratios"]
    rates = [
        cells[f"skewed {tail}, n = {n}"][kind]
        for tail, kind in (
            ("down", "reproduced, no effect"),
            ("up", "not reproduced, at the margin"),
            ("up", "equal, at the margin"),
        )
        for n in SEEDS
        if n <= FEW
    ]
    assert len(rates) == 9
    assert 0.07 < min(rates) < max(rates) < 0.15
    few, many = (
        verdict_of(
            ERRORS["reproduced, no effect"].test, runs(a=[2.0, 2.1, 2.2] * n, b=[3.0, 3.2, 3.1] * n)
        )
        for n in (3, 4)
    )
    assert "about one verdict in ten is wrong" in few_values_note([many, few])
    assert not few_values_note([many])


def test_the_committed_table_is_up_to_date() -> None:
    text = PAGE.read_text()
    assert with_rates(text, committed()) == text, "python -m benchmarks.rates"
    assert committed()["settings"]["claims"] >= 2000
