"""What experts tell of tokens, what domains add to it, and the tokens of each expert."""

import numpy as np
import pytest
import torch

from moebench.analysis import TokenCounts, count_tokens
from moebench.analysis.token_table import PermutedDomains, from_other_windows
from moebench.analysis.vocabulary import NULLS, Vocabulary

from .fakes import E, chosen, seen, text


def test_tokens_decide_and_the_domain_adds_nothing() -> None:
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 4, (60, 20))
    choices = chosen(*[[(int(token),) for token in window] for window in ids])
    batch = seen(choices, ids=ids.tolist(), domains=[0, 1] * 30)
    vocabulary = Vocabulary([E], 2, text(batch, 5, 2))
    vocabulary.add(batch)
    found = vocabulary.findings(0)
    assert found["nmi"] == pytest.approx(1)
    assert found["nmi_null"] < 0.1
    assert found["domain_given_token"] == pytest.approx(0)
    assert vocabulary.tokens_of(0, 2) == [(2, 1.0)]


def test_the_domain_decides_and_the_token_adds_nothing() -> None:
    ids = [[0, 1, 2, 3]] * 4
    domains = [0, 0, 1, 1]
    choices = chosen(*[[(domain,)] * 4 for domain in domains])
    batch = seen(choices, ids=ids, domains=domains)
    vocabulary = Vocabulary([E], 2, text(batch, 4, 2))
    vocabulary.add(batch)
    found = vocabulary.findings(0)
    assert found["information"] == pytest.approx(0)
    assert found["domain_given_token"] == pytest.approx(np.log(2))


def test_chance_has_no_part_in_what_the_text_says() -> None:
    """Each of two domains has its expert, in so many windows that no order of them is like it."""
    domains = [0, 1] * 40
    batch = seen(chosen(*[[(domain,)] for domain in domains]), domains=domains)
    vocabulary = Vocabulary([E], 2, text(batch, 1, 2))
    vocabulary.add(batch)
    found = vocabulary.findings(0)
    assert found["domain_given_token"] == pytest.approx(np.log(2))
    assert found["domain_given_token_null"] < np.log(2) / 10


def test_only_the_most_frequent_of_many_tokens_are_counted() -> None:
    frequency_V = torch.tensor([1, 50, 0, 40, 9])
    of_a_token = E * (1 + 2 * NULLS)
    windows_NV = torch.ones(1, 5, dtype=torch.int64)
    vocabulary = Vocabulary([E], 1, TokenCounts(frequency_V, windows_NV), cells=2 * of_a_token)
    assert vocabulary.ids_M.tolist() == [1, 3]
    assert vocabulary.covered == pytest.approx(0.9)
    vocabulary.add(seen(chosen([(0,), (1,), (2,)]), ids=[[0, 1, 3]]))
    assert vocabulary.findings(0)["nmi"] == pytest.approx(1)  # two tokens, each its expert


def test_tokens_are_counted_by_occurrence_and_by_window() -> None:
    ids_BL = torch.tensor([[0, 0, 2], [2, 2, 2], [2, 0, 1]])
    batches = [(ids_BL[:2], torch.tensor([1, 0])), (ids_BL[2:], torch.tensor([1]))]
    found = count_tokens(batches, 4, 2)
    assert found.frequency_V.tolist() == [3, 1, 5, 0]
    assert found.windows_NV.tolist() == [[0, 0, 1, 0], [2, 1, 2, 0]]
    with pytest.raises(ValueError, match="gives the id 2, but the model has 2 ids"):
        count_tokens(batches, 2, 2)


def test_a_token_keeps_its_domains_and_a_window_has_one_of_them() -> None:
    """Token 0 is in all windows, token 1 in those of the second domain alone."""
    ids_BL = torch.tensor([[0, 0, 2], [0, 1, 1]] * 10)
    domain_B = torch.tensor([0, 1] * 10)
    text = count_tokens([(ids_BL, domain_B)], 3, 2)
    dealt = PermutedDomains(text.windows_NV.T, 50, seed=0)
    domain_PBL = torch.cat([dealt.read(part) for part in ids_BL.split(7)], dim=1)
    assert (domain_PBL[:, ids_BL == 1] == 1).all()
    assert (domain_PBL[:, ids_BL == 2] == 0).all()
    of_token_0_PB = domain_PBL[:, :, 0]
    assert (of_token_0_PB.sum(dim=1) == 10).all()
    assert (domain_PBL[:, ::2, 1] == of_token_0_PB[:, ::2]).all(), "twice in a window, one domain"
    assert of_token_0_PB.double().mean(dim=0).numpy() == pytest.approx(0.5, abs=0.3)
    assert len(of_token_0_PB.unique(dim=0)) == 50


def test_another_window_is_never_the_same_and_each_comes_once() -> None:
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        other_BL = from_other_windows(torch.arange(5)[:, None].expand(5, 3), generator)
        assert sorted(other_BL[:, 0].tolist()) == list(range(5))
        assert (other_BL[:, 0] != torch.arange(5)).all()
    assert from_other_windows(torch.ones(1, 3), generator).tolist() == [[-1, -1, -1]]


def test_rare_tokens_belong_to_no_expert() -> None:
    batch = seen(chosen([(1,)] * 12), ids=[[0] * 10 + [1, 2]])
    vocabulary = Vocabulary([E], 1, text(batch, 3, 1))
    vocabulary.add(batch)
    assert vocabulary.tokens_of(0, 1) == [(0, 1.0)]
    assert vocabulary.tokens_of(0, 0) == []
