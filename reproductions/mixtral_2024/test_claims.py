"""The claims of Mixtral, judged in constructed worlds."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from moebench.evidence.record import RunRecord
from moebench.papers.claim import VerdictLabel
from moebench.papers.computed import import_function
from moebench.testing.verdicts import run, verdict_of
from moebench.verdict import judge
from reproductions.mixtral_2024.arithmetic import size, wins
from reproductions.mixtral_2024.controls import KNOWN, NULL
from reproductions.mixtral_2024.judging import NeighboursTogether
from reproductions.mixtral_2024.paper import CLAIMS, MIXTRAL, SAME_PARAMETERS
from reproductions.mixtral_2024.published import TABLE_2
from reproductions.mixtral_2024.tables import tables

CLAIM = {claim.key: claim for claim in CLAIMS}
NOTHING = (0.02, 0.04, 0.05, 0.06)  # what attention alone brings neighbours together


def runs(arm: str = MIXTRAL, noise: float = 0.001, **layers: Sequence[float]) -> list[RunRecord]:
    """Five runs with metrics around the given values for each layer."""
    means = {
        f"analysis/{layer}/{name}": value
        for name, values in layers.items()
        for layer, value in enumerate(values)
    }
    rng = np.random.default_rng(0)
    return [
        run(
            arm,
            seed,
            metrics={k: mean + noise * rng.standard_normal() for k, mean in means.items()},
        )
        for seed in range(5)
    ]


def neighbours(arm: str, gain: Sequence[float]) -> list[RunRecord]:
    """Runs in which text order adds an effect to what exists without it."""
    ordered = np.add(NOTHING, gain)
    return runs(arm, repeats_excess=ordered, repeats_disordered=NOTHING)


@pytest.mark.parametrize(
    ("gain", "shown", "word"),
    [
        ((0.005, 0.02, 0.08, 0.06), 6, VerdictLabel.REPRODUCED),
        ((0.04, 0.02, 0.08, 0.06), 6, VerdictLabel.PARTIAL),  # in the first layer, too
        ((0.005, 0.02, 0.08, 0.03), 3, VerdictLabel.NOT_REPRODUCED),  # not in the last
        ((0.005, 0.02, 0.03, 0.08), 3, VerdictLabel.NOT_REPRODUCED),  # not in the middle
        ((0.0, -0.01, -0.01, -0.01), -1, VerdictLabel.NOT_REPRODUCED),
        ((0.0, 0.0, 0.0, 0.0), 0, VerdictLabel.NOT_REPRODUCED),  # chance alone is far exceeded
    ],
)
def test_neighbours_together(gain: Sequence[float], shown: float, word: VerdictLabel) -> None:
    found = verdict_of(CLAIM["MX24-03"], neighbours(MIXTRAL, gain))
    assert found.verdict is word
    assert found.effect == pytest.approx(shown, abs=0.2)
    assert found.unit == "percentage points"


def test_an_effect_too_small_to_count_is_reported_as_present() -> None:
    found = verdict_of(CLAIM["MX24-03"], neighbours(MIXTRAL, (0, 0.01, 0.03, 0.03)))
    assert "too small to count" in found.why


@pytest.mark.parametrize(
    ("last", "word"), [(0.01, VerdictLabel.REPRODUCED), (-0.01, VerdictLabel.NOT_REPRODUCED)]
)
def test_for_either_choice_a_small_effect_in_the_last_layer_is_enough(
    last: float, word: VerdictLabel
) -> None:
    ordered = np.add(NOTHING, (0.005, 0.02, 0.08, last))
    records = runs(overlap_excess=ordered, overlap_disordered=NOTHING)
    assert verdict_of(CLAIM["MX24-04"], records).verdict is word


def test_the_p_counts_the_choice_of_the_layer() -> None:
    """The p of the best of two layers is doubled."""
    test = NeighboursTogether(
        arm="a", metric="more", disordered="less", margin=0.0, last=0.0, first_within=2.0
    )
    gains = np.array([[0, 0, 0], [1, 2, 3], [-1, 0, 1], [1, 1.01, 0.99]]) / 100
    records = [
        run(
            "a",
            seed,
            metrics={f"analysis/{layer}/more": gains[layer, seed] for layer in range(4)}
            | {f"analysis/{layer}/less": 0.0 for layer in range(4)},
        )
        for seed in range(3)
    ]
    found = verdict_of(test, records)
    t = 2 / (1 / 3**0.5)  # mean 2, standard deviation 1: a t of two degrees of freedom
    assert found.conditions[0]["p"] == pytest.approx(2 * (1 - t / (2 + t * t) ** 0.5))
    assert found.verdict is VerdictLabel.INCONCLUSIVE  # alone it would be at 0.07, too


@pytest.mark.parametrize(
    ("gain", "control", "word"),
    [
        ((0.0, 0.0, 0.0, 0.0), VerdictLabel.PASSED, VerdictLabel.REPRODUCED),
        ((0.0, 0.0, 0.09, 0.07), VerdictLabel.FAILED, VerdictLabel.INCONCLUSIVE),
    ],
)
def test_a_failed_null_control_overturns_the_verdict(
    gain: Sequence[float], control: VerdictLabel, word: VerdictLabel
) -> None:
    records = [*neighbours(MIXTRAL, (0.005, 0.02, 0.08, 0.06)), *neighbours(NULL, gain)]
    pair = [CLAIM["MX24-03"], CLAIM["MX24-03n"]]
    assert [one.verdict for one in judge(pair, records, "full")] == [word, control]


def test_the_tests_distinguish_known_routing() -> None:
    """Neighbours that share experts, and experts that depend only on the token or the domain."""
    records = [
        run(arm, seed, metrics=metrics)
        for arm, function in KNOWN.items()
        for seed, metrics in import_function(function)().items()
    ]
    controls = [claim for claim in CLAIMS if set(claim.arms) & set(KNOWN)]
    words = {claim.key: verdict_of(claim, records).verdict for claim in controls}
    assert len(words) == 6
    assert set(words.values()) == {VerdictLabel.PASSED}, words
    ordered, followed = records[0].metrics, records[5].metrics
    # Of the 63 pairs of a window 48 are inside one of its spans; the others meet as any tokens do.
    inside = 48 / 63
    assert ordered["analysis/1/repeats"] == pytest.approx(inside + (1 - inside) / 8, abs=0.02)
    assert ordered["analysis/1/overlap"] == pytest.approx(inside + (1 - inside) * 3 / 8, abs=0.02)
    assert abs(ordered["analysis/0/repeats_excess"]) < 0.01
    # Two of eight experts are left where the token is known: log 8 - log 2.
    assert followed["analysis/0/token_information"] == pytest.approx(math.log(4), abs=0.05)
    assert followed["analysis/0/domain_given_token"] == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize(
    ("domain", "token", "word"),
    [
        ((0.01, 0.02, 0.03, 0.02), (0.3, 0.2, 0.1, 0.1), VerdictLabel.REPRODUCED),
        ((0.01, 0.02, 0.09, 0.02), (0.3, 0.2, 0.1, 0.1), VerdictLabel.NOT_REPRODUCED),
        ((0.01, 0.02, 0.03, 0.02), (0.1, 0.1, 0.1, 0.1), VerdictLabel.PARTIAL),
    ],
)
def test_domain(domain: Sequence[float], token: Sequence[float], word: VerdictLabel) -> None:
    assert verdict_of(CLAIM["MX24-02d"], runs(domain_nmi=domain, token_nmi=token)).verdict is word


@pytest.mark.parametrize(
    ("token", "word"),
    [
        ((0.9, 0.5, 0.6, 0.9), VerdictLabel.REPRODUCED),
        ((0.9, 0.5, 0.6, 0.5), VerdictLabel.PARTIAL),  # less in the last layer than between
        ((0.9, 0.5, 0.05, 0.9), VerdictLabel.NOT_REPRODUCED),
    ],
)
def test_token_over_domain(token: Sequence[float], word: VerdictLabel) -> None:
    records = runs(token_information=token, domain_given_token=(0.01, 0.05, 0.1, 0.1))
    assert verdict_of(CLAIM["MX24-05"], records).verdict is word


@pytest.mark.parametrize(
    ("loss", "word"),
    [
        (3.0, VerdictLabel.REPRODUCED),
        (3.11, VerdictLabel.REPRODUCED),
        (3.2, VerdictLabel.NOT_REPRODUCED),
    ],
)
def test_no_worse_than_a_dense_model_of_all_parameters(loss: float, word: VerdictLabel) -> None:
    noise = np.random.default_rng(1).standard_normal((5, 2)) * 0.002
    records = [
        run(arm, seed, mean + noise[seed, place])
        for place, (arm, mean) in enumerate(((MIXTRAL, loss), (SAME_PARAMETERS, 3.1)))
        for seed in range(5)
    ]
    assert verdict_of(CLAIM["MX24-08"], records).verdict is word


@pytest.mark.parametrize("key", ["MX24-02d", "MX24-03", "MX24-05"])
@pytest.mark.parametrize("layers", [{}, {"repeats_excess": (0.1,), "token_nmi": (0.1,)}])
def test_a_run_without_analysis_decides_nothing(
    key: str, layers: dict[str, Sequence[float]]
) -> None:
    assert verdict_of(CLAIM[key], runs(**layers)).verdict is VerdictLabel.INCONCLUSIVE


def test_wins_are_counted_from_all_scores() -> None:
    assert len(TABLE_2) == 12
    assert wins() == {"wins": 9, "benchmarks": 12}
    found = verdict_of(CLAIM["MX24-06"], [run("wins", metrics=wins())])
    assert found.verdict is VerdictLabel.NOT_REPRODUCED
    assert found.effect == 9
    all_won = {"wins": 12.0, "benchmarks": 12.0}
    assert (
        verdict_of(CLAIM["MX24-06"], [run("wins", metrics=all_won)]).verdict
        is VerdictLabel.REPRODUCED
    )


def test_the_parameters_are_every_matrix_and_norm_added_up_by_hand() -> None:
    """Table 1; the text says 47B and 13B."""
    expert = 3 * 4096 * 14336
    layer = 2 * 4096 * 4096 + 2 * 4096 * 1024 + 8 * 4096 + 2 * 4096
    outside = 2 * 32000 * 4096 + 4096
    found = size()
    assert found == {
        "parameters": outside + 32 * (layer + 8 * expert),
        "active parameters": outside + 32 * (layer + 2 * expert),
    }
    assert (
        verdict_of(CLAIM["MX24-01"], [run("size", metrics=found)]).verdict
        is VerdictLabel.REPRODUCED
    )


@pytest.mark.parametrize(
    ("active", "word"), [(12.9e9, VerdictLabel.REPRODUCED), (14.1e9, VerdictLabel.NOT_REPRODUCED)]
)
def test_a_fifth_of_the_rivals_parameters(active: float, word: VerdictLabel) -> None:
    size = {"parameters": 46.7e9, "active parameters": active}
    assert verdict_of(CLAIM["MX24-06a"], [run("size", metrics=size)]).verdict is word


def test_the_table_is_printed_beside_the_papers() -> None:
    layers = {
        "repeats": (0.2, 0.3),
        "repeats_excess": (0.01, 0.08),
        "repeats_disordered": (0.01, 0.05),
        "overlap": (0.5, 0.6),
        "overlap_excess": (0.02, 0.09),
        "overlap_disordered": (0.02, 0.06),
    }
    [table] = tables(runs(noise=0.0, **layers))
    assert all(len(row) == len(table.head) for row in table.rows)
    assert table.rows[0] == [
        "Mixtral 8x7B",
        "first choice",
        "0",
        "13.6 to 14.9",
        "12.5",
        "+1.1 to +2.4",
        "–",
    ]
    ours = [MIXTRAL, "first choice", "1", "30.0 ± 0.0", "22.0", "+8.0 ± 0.0", "+5.0 ± 0.0"]
    assert ours in table.rows
