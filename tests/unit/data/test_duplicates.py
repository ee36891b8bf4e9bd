"""Near-duplicates: what is one, and what only looks like one."""

import unicodedata
from collections.abc import Sequence

import pytest
from datasketch import LeanMinHash

from moebench.data.separation import duplicates

from .fakes import sentences, text


def first_of_each(texts: Sequence[str]) -> list[int]:
    return duplicates.first_of_cluster(list(duplicates.sketches(texts)))


def test_near_duplicates_are_found_and_chains_are_one_cluster() -> None:
    """The second differs in one sentence of eight; the fourth is like the third, not the first."""
    base = sentences(0, 12)
    changed = "\n".join([*base[:-1], *sentences(1, 1)])
    steps = ["\n".join([*base[n:], *sentences(2, 12)[:n]]) for n in (0, 2, 4, 6, 8)]
    assert first_of_each(["\n".join(base), changed]) == [0, 0]
    assert first_of_each([text(3), steps[0], steps[4]]) == [0, 1, 2], "ends are not alike"
    assert first_of_each([text(3), *steps]) == [0, 1, 1, 1, 1, 1]
    assert first_of_each([steps[4], text(3), *reversed(steps[:4])]) == [0, 1, 0, 0, 0, 0]
    middle = "\n".join([*base[3:], *sentences(2, 12)[:3]])
    assert first_of_each([steps[0], steps[3]]) == [0, 1], "half of the sentences, a third of all"
    assert first_of_each([steps[0], steps[3], middle]) == [0, 0, 0], "like both"


def test_copies_in_other_unicode_forms_are_copies() -> None:
    """Capitals, and accents as characters of their own."""
    accented = text(1).replace("a", "\u00e9").replace("o", "\u00df")
    decomposed = unicodedata.normalize("NFD", accented)
    assert decomposed != accented
    texts = [text(0), accented, text(0).upper(), text(0).title(), decomposed, accented.upper()]
    assert first_of_each(texts) == [0, 1, 0, 0, 1, 1]
    assert first_of_each(["A Heading", "a heading", "another"]) == [0, 0, 2]


def test_texts_that_differ_are_no_duplicates() -> None:
    assert first_of_each([text(n) for n in range(50)]) == list(range(50))
    sums = [f"What is {n} plus {n + 1}? It is {2 * n + 1}, and no less." for n in range(50)]
    assert first_of_each(sums) == list(range(50))
    assert first_of_each(["one", "two", "!", "?", " one\n", "?"]) == [0, 1, 2, 3, 0, 3]


def test_a_thousand_copies_cost_no_million_comparisons(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    jaccard = LeanMinHash.jaccard
    monkeypatch.setattr(LeanMinHash, "jaccard", lambda *pair: asked.append(1) or jaccard(*pair))
    assert set(first_of_each([text(0)] * 1000)) == {0}
    assert len(asked) == 999
