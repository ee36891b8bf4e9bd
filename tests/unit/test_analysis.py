"""Instruments of routing, against values worked out by hand and against scikit-learn."""

from itertools import pairwise, permutations

import numpy as np
import pytest
import torch
from sklearn.metrics import mutual_info_score, normalized_mutual_info_score
from torch import Tensor

from moebench.analysis import (
    Choices,
    Instruments,
    Labels,
    RoutedBatch,
    TokenCounts,
    count_tokens,
    metrics,
)
from moebench.analysis.certainty import Certainty
from moebench.analysis.coactivation import Agreement, CoActivation
from moebench.analysis.domains import Domains
from moebench.analysis.information import (
    conditional_information,
    entropy,
    mutual_information,
    normalised,
)
from moebench.analysis.repeats import Repeats, any_repeats, first_repeats
from moebench.analysis.routed_batch import NO_EXPERT
from moebench.analysis.saturation import Saturation
from moebench.analysis.token_table import PermutedDomains, from_other_windows
from moebench.analysis.vocabulary import NULLS, Vocabulary
from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.routers import TopK

E = 4


def chosen(*windows: list[tuple[int, ...]], experts: int = E) -> Choices:
    """Choices by hand: for every token its experts, the first choice first."""
    chosen_BLE = torch.zeros(len(windows), len(windows[0]), experts, dtype=torch.bool)
    for b, window in enumerate(windows):
        for place, token in enumerate(window):
            chosen_BLE[b, place, list(token)] = True
    first = [[token[0] if token else NO_EXPERT for token in window] for window in windows]
    probs_BLE = torch.full(chosen_BLE.shape, 1 / experts)
    return Choices(chosen_BLE, torch.tensor(first), probs_BLE)


def seen(*layers: Choices, ids: list[list[int]] | None = None, domains: list[int] | None = None):
    shape = layers[0].first_BL.shape
    domain_B = torch.tensor(domains or [0] * shape[0])
    input_BL = torch.zeros(shape, dtype=torch.int64) if ids is None else torch.tensor(ids)
    return RoutedBatch(input_BL, domain_B, domain_B.repeat(NULLS, 1), layers)


def text(batch: RoutedBatch, vocabulary: int, domains: int) -> TokenCounts:
    return count_tokens([(batch.input_BL, batch.domain_B)], vocabulary, domains)


def test_choices_are_read_from_a_decision() -> None:
    logits_TE = torch.tensor([[0.0, 1.0, 2.0, 3.0], [9.0, 1.0, 2.0, 0.0]])
    decision = tokens_choose(
        logits_TE,
        logits_TE.softmax(-1),
        torch.tensor([[3, 2], [0, 2]]),
        torch.tensor([[0.7, 0.3], [0.9, 0.1]]),
    )
    choices = Choices.of(decision, windows=1)
    assert choices.first_BL.tolist() == [[3, 0]]
    assert choices.chosen_BLE.nonzero()[:, 1:].tolist() == [[0, 2], [0, 3], [1, 0], [1, 2]]


def test_a_token_without_requests_has_no_first_choice() -> None:
    decision = RoutingDecision(
        logits_TE=torch.zeros(2, E),
        probs_TE=torch.full((2, E), 0.25),
        token_A=torch.tensor([1, 1]),
        expert_A=torch.tensor([2, 0]),
        weight_A=torch.tensor([0.2, 0.6]),
        kept_A=torch.tensor([True, False]),
    )
    assert Choices.of(decision, windows=2).first_BL.tolist() == [[NO_EXPERT], [0]]


def test_requests_count_whatever_the_capacity() -> None:
    """The second token wanted expert 0, as the first did, and was moved to expert 3."""
    decision = RoutingDecision(
        logits_TE=torch.zeros(2, E),
        probs_TE=torch.full((2, E), 0.25),
        token_A=torch.tensor([0, 1]),
        expert_A=torch.tensor([0, 3]),
        weight_A=torch.tensor([0.25, 0.25]),
        kept_A=torch.tensor([True, True]),
        original_expert_A=torch.tensor([0, 0]),
    )
    choices = Choices.of(decision, windows=1)
    assert choices.first_BL.tolist() == [[0, 0]]
    assert choices.chosen_BLE.nonzero()[:, 2].tolist() == [0, 0]


def test_repeats_by_hand_and_their_null_over_all_shuffles() -> None:
    window = [(0, 1), (0, 2), (1, 3), (1, 0), (2, 0)]
    choices = chosen(window)
    share, null = first_repeats(choices)
    assert share.item() == pytest.approx(2 / 4)
    orders = [[token[0] for token in order] for order in permutations(window)]
    mean = np.mean([[a == b for a, b in pairwise(o)] for o in orders])
    assert null.item() == pytest.approx(mean)
    share, null = any_repeats(choices)
    assert share.item() == pytest.approx(3 / 4)
    overlaps = [[bool({*a} & {*b}) for a, b in pairwise(order)] for order in permutations(window)]
    assert null.item() == pytest.approx(np.mean(overlaps))


def test_tokens_without_an_expert_repeat_nothing() -> None:
    choices = chosen([(), (), (1,), (1,), ()])
    share, null = first_repeats(choices)
    assert share.item() == pytest.approx(1 / 4)
    assert null.item() == pytest.approx(2 / 20)
    assert [part.item() for part in any_repeats(choices)] == pytest.approx([1 / 4, 2 / 20])


def test_repeats_by_domain_and_their_standard_error() -> None:
    repeats = Repeats(1, domains=2)
    same, other = [(0,), (0,), (1,)], [(0,), (1,), (0,)]  # both with a null of 1 / 3
    choices = chosen(same, other, same)
    repeats.add(seen(choices, domains=[0, 1, 1]))
    found = repeats.findings(0)
    assert found["first"] == pytest.approx(1 / 3)
    assert found["first_null"] == pytest.approx(1 / 3)
    assert found["by_domain"]["first"] == pytest.approx([1 / 2, 1 / 4])
    excess = [1 / 2 - 1 / 3, -1 / 3, 1 / 2 - 1 / 3]
    assert found["first_se"] == pytest.approx(np.std(excess) / 3**0.5)


def test_uniform_random_routing_repeats_at_the_chance_level() -> None:
    generator = torch.Generator().manual_seed(0)
    logits_TE = torch.randn(200 * 64, 8, generator=generator)
    expert_TK = logits_TE.topk(2).indices
    decision = tokens_choose(logits_TE, logits_TE.softmax(-1), expert_TK, torch.ones(12800, 2))
    repeats = Repeats(1, domains=1)
    repeats.add(seen(Choices.of(decision, 200)))
    found = repeats.findings(0)
    # Mixtral's own figures for chance with eight experts, two a token.
    assert found["any_null"] == pytest.approx(1 - 15 / 28, abs=0.01)
    assert abs(found["any_excess"]) < 3 * found["any_se"]
    assert abs(found["first_excess"]) < 3 * found["first_se"]


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


def test_experts_requested_together() -> None:
    together = CoActivation([E])
    together.add(seen(chosen([(0, 1), (0, 2), (1, 0), (3, 2)])))
    found = together.findings(0)["co_activation"]
    assert found[0] == pytest.approx([0, 2 / 3, 1 / 3, 0])
    assert found[3] == pytest.approx([0, 0, 1, 0])


def test_layers_agree_whatever_experts_are_called() -> None:
    agreement = Agreement([E, E, 2])
    one = chosen([(0,), (1,), (2,), (3,)])
    renamed = chosen([(2,), (3,), (0,), (1,)])
    constant = chosen([(1,)] * 4, experts=2)
    agreement.add(seen(one, renamed, constant))
    found = agreement.findings()
    assert found[0] == pytest.approx([1, 1, 0])
    assert np.array(found) == pytest.approx(np.array(found).T)


def test_identical_layers_agree_fully_whatever_the_chance_level() -> None:
    """In so short a text the null, too, seems to carry information."""
    generator = torch.Generator().manual_seed(0)
    expert_BL = torch.randint(E, (6, 5), generator=generator)
    alike = chosen(*[[(expert,) for expert in window] for window in expert_BL.tolist()])
    agreement = Agreement([E, E])
    agreement.add(seen(alike, alike))
    assert agreement.findings()[0][1] == pytest.approx(1)


def test_layers_are_compared_on_tokens_that_both_route() -> None:
    """Tokens without an expert, as thresholds may leave some, do not count."""
    generator = torch.Generator().manual_seed(0)
    whole = torch.randint(E, (6, 5), generator=generator).tolist()
    renamed = [
        [(e + 1) % E if (b + t) % 3 else None for t, e in enumerate(w)] for b, w in enumerate(whole)
    ]
    layers = [
        chosen(*[[() if e is None else (e,) for e in window] for window in windows])
        for windows in (whole, renamed)
    ]
    for pair in (layers, layers[::-1]):
        agreement = Agreement([E, E])
        agreement.add(seen(*pair))
        assert agreement.findings()[0][1] == pytest.approx(1)


def test_certainty_by_hand() -> None:
    choices = chosen([(0,), (1,)], experts=3)
    probs = torch.tensor([[[0.5, 0.25, 0.25], [0.1, 0.9, 0.0]]])
    certainty = Certainty(1)
    certainty.add(seen(Choices(choices.chosen_BLE, choices.first_BL, probs)))
    found = certainty.findings(0)
    assert found["confidence"] == pytest.approx(0.7)
    assert found["margin"] == pytest.approx((0.25 + 0.8) / 2)
    entropies = [1.5 * np.log(2), -0.1 * np.log(0.1) - 0.9 * np.log(0.9)]
    assert found["entropy"] == pytest.approx(np.mean(entropies), rel=1e-6)
    assert sum(found["margin_histogram"]) == pytest.approx(1)


def test_the_margin_of_two_experts_and_of_a_single_one() -> None:
    for probs, margin in (([0.7, 0.3], 0.4), ([1.0], 1.0)):
        choices = chosen([(0,)], experts=len(probs))
        certainty = Certainty(1)
        certainty.add(seen(Choices(choices.chosen_BLE, choices.first_BL, torch.tensor([[probs]]))))
        assert certainty.findings(0)["margin"] == pytest.approx(margin)


def test_shuffled_windows_keep_their_domains() -> None:
    """Of two batches of two windows each; neighbours repeat in the second domain alone."""
    labels = Labels(torch.tensor([0, 0, 0, 1]), ("a", "b"))
    ids_BL = torch.zeros(2, 2, dtype=torch.int64)
    text = count_tokens([(ids_BL, labels.read(start, 2)[0]) for start in (0, 2)], 1, 2)
    instruments = Instruments([E], labels, text)
    for second in (1, 0):  # expert of the second token in the second window
        experts = torch.tensor([0, 1, 0, second])
        probs = torch.full((4, E), 0.25)
        decision = tokens_choose(probs.log(), probs, experts[:, None], torch.ones(4, 1))
        instruments.add(ids_BL, [decision])
        instruments.add_shuffled([decision], 2)
    [found] = instruments.findings()["layers"]
    assert found["disordered"]["by_domain"]["first"] == [0, 1]
    assert found["disordered"] == found["repeats"]


def test_saturation_by_hand() -> None:
    saturation = Saturation([E])
    before = chosen([(0, 1), (2, 3)])
    after = chosen([(0, 2), (3, 2)])
    saturation.add([before], [after])
    assert saturation.findings(0) == pytest.approx(
        {"saturation": 3 / 4, "chance": 1 / 2, "first": 1 / 2}
    )


def test_batches_of_any_size_find_the_same() -> None:
    torch.manual_seed(0)
    router = TopK(6, 5, 2)
    labels = Labels(torch.arange(12) % 3, ("a", "b", "c"))
    ids = torch.randint(0, 7, (12, 9))
    x_BLD = torch.randn(12, 9, 6)
    found = []
    for size in (12, 5):
        batches = zip(ids.split(size), (torch.arange(12) % 3).split(size), strict=True)
        instruments = Instruments([5], labels, count_tokens(batches, 7, 3))
        for start in range(0, 12, size):
            decision = router(x_BLD[start : start + size].flatten(0, 1))
            instruments.add(ids[start : start + size], [decision])
            instruments.add_shuffled([decision], len(ids[start : start + size]))
        found.append(metrics(instruments.findings()))
    shuffled = [name for name in found[0] if "null" in name or "information" in name]
    for name in shuffled:  # other windows are those of one batch
        assert found[0].pop(name) == pytest.approx(found[1].pop(name), abs=0.1)
    assert found[0] == pytest.approx(found[1])
    assert {name.split("/")[1] for name in found[0]} == {"0"}
