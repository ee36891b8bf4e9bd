"""What experts tell of domains: information by hand and as scikit-learn has it, and its null."""

import numpy as np
import pytest
import torch
from sklearn.metrics import mutual_info_score, normalized_mutual_info_score
from torch import Tensor

from moebench.analysis import Labels, RoutedBatch
from moebench.analysis.domains import Domains
from moebench.analysis.information import (
    conditional_information,
    entropy,
    mutual_information,
    normalised,
)
from moebench.analysis.vocabulary import NULLS, Vocabulary

from .fakes import E, chosen, seen, text


@pytest.fixture
def pairs() -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(3)
    a = rng.integers(0, 5, 400)
    b = np.where(rng.random(400) < 0.6, a % 3, rng.integers(0, 4, 400))
    return torch.from_numpy(a), torch.from_numpy(b)


def test_information_is_that_of_scikit_learn(pairs: tuple[Tensor, Tensor]) -> None:
    a, b = pairs
    table = torch.zeros(5, 4).index_put((a, b), torch.tensor(1.0), accumulate=True)
    assert mutual_information(table).item() == pytest.approx(mutual_info_score(a, b))
    assert normalised(table).item() == pytest.approx(normalized_mutual_info_score(a, b))


def test_a_constant_carries_no_information() -> None:
    table = torch.tensor([[3.0, 0.0], [0.0, 0.0]])
    assert normalised(table).item() == mutual_information(table).item() == 0
    assert entropy(torch.zeros(2, 2), 2).item() == 0


def test_conditional_information_is_the_mean_over_the_condition() -> None:
    generator = torch.Generator().manual_seed(1)
    table = torch.randint(0, 9, (6, 3, E), generator=generator)
    weights = table.sum(dim=(1, 2)) / table.sum()
    expected = sum(w * mutual_information(part) for w, part in zip(weights, table, strict=True))
    assert conditional_information(table).item() == pytest.approx(expected.item())


def test_domains_decide_or_do_not() -> None:
    labels = Labels(torch.arange(200) % 2, ("a", "b"))
    follows, ignores = Domains([2], 2, labels.permutations), Domains([2], 2, labels.permutations)
    for start in range(0, 200, 50):
        domain_B, null_PB = labels.read(start, 50)
        by_domain = chosen(*[[(int(d),)] * 3 for d in domain_B], experts=2)
        in_turn = chosen(*[[((start + b) // 2 % 2,)] * 3 for b in range(50)], experts=2)
        for instrument, choices in ((follows, by_domain), (ignores, in_turn)):
            instrument.add(
                RoutedBatch(torch.zeros(50, 3, dtype=torch.int64), domain_B, null_PB, [choices])
            )
    found = follows.findings(0)
    assert found["specialisation"] == [[1, 0], [0, 1]]
    assert found["load"] == [0.5, 0.5]
    assert found["nmi"] == pytest.approx(1)
    assert 0 < found["nmi_null"] < found["nmi_null_high"] < 0.1
    found = ignores.findings(0)
    assert found["nmi"] == pytest.approx(0)
    assert found["nmi"] <= found["nmi_null_high"]


def test_random_routing_rarely_exceeds_the_high_quantile() -> None:
    """One time in forty; each window has an expert of its own, whatever its domain is."""
    generator = torch.Generator().manual_seed(0)
    exceeded = 0
    for seed in range(200):
        labels = Labels(torch.arange(24) % 2, ("a", "b"), seed=seed)
        domains = Domains([3], 2, labels.permutations)
        favourite = torch.randint(3, (24,), generator=generator).tolist()
        choices = chosen(*[[(expert,)] * 2 for expert in favourite], experts=3)
        ids_BL = torch.zeros(24, 2, dtype=torch.int64)
        domains.add(RoutedBatch(ids_BL, *labels.read(0, 24), [choices]))
        found = domains.findings(0)
        exceeded += found["nmi"] > found["nmi_null_high"]
    assert exceeded <= 15


def test_a_single_domain_gives_no_information() -> None:
    domains = Domains([E], 2, NULLS)
    batch = seen(chosen([(0,), (1,)]))
    domains.add(batch)
    assert domains.findings(0)["nmi"] is None
    vocabulary = Vocabulary([E], 2, text(batch, 1, 2))
    vocabulary.add(batch)
    assert vocabulary.findings(0)["domain_given_token"] is None


def test_permutations_keep_the_number_of_windows_of_each_domain() -> None:
    domain_S = torch.tensor([0] * 30 + [1] * 10)
    labels = Labels(domain_S, ("a", "b"), permutations=20)
    parts = [labels.read(start, 8)[1] for start in range(0, 40, 8)]
    null_PS = torch.cat(parts, dim=1)
    assert (null_PS == 1).sum(dim=1).tolist() == [10] * 20
    assert len({tuple(row) for row in null_PS.tolist()}) > 10
    assert (null_PS == domain_S).all(dim=1).sum() == 0


@pytest.mark.parametrize("domains", [2, 3])
def test_alternating_domains_have_many_permutations(domains: int) -> None:
    """As in validation, where every batch has some windows of each."""
    labels = Labels(torch.arange(96) % domains, ("a", "b", "c")[:domains])
    _, null_PS = labels.read(0, 96)
    assert len(null_PS.unique(dim=0)) > 50
