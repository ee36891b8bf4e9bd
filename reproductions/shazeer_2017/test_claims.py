"""The claims of the sparsely-gated layer, judged in constructed worlds."""

import math
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from moebench.evidence.record import RunRecord
from moebench.papers.claim import VerdictLabel
from moebench.papers.computed import import_function
from moebench.testing.verdicts import run
from moebench.verdict import Verdict, judge
from reproductions.shazeer_2017 import arithmetic
from reproductions.shazeer_2017.figures import draw
from reproductions.shazeer_2017.paper import (
    BALANCE,
    CLAIMS,
    COMPUTED,
    DOMAINS,
    FLAT,
    MOE_4,
    NONE,
    NULL,
    RIVALS,
    TO_256,
)
from reproductions.shazeer_2017.tables import tables

CLAIM = {claim.key: claim for claim in CLAIMS}
TRAINED = sorted({arm for claim in CLAIMS for arm in claim.arms} - set(COMPUTED))
STEPS = (400, 500, 1000, 1600, 2000, 4000)
SIZE = {"params_total": 1_000, "params_active": 500, "steps": 4000, "tokens": 4000 * 1536}


def test_all_fifteen_claims_are_there_with_their_controls() -> None:
    of_paper = [claim.key for claim in CLAIMS if claim.of_paper]
    assert of_paper == [f"S17-{number:02}" for number in range(1, 16)]
    assert [claim.key for claim in CLAIMS if claim.because] == ["S17-12", "S17-13"]
    controls = {claim.key: claim.control_of for claim in CLAIMS if claim.control_of}
    kinds = {"S17-02": "np", "S17-03": "np"}
    kinds |= dict.fromkeys(("S17-05", "S17-06", "S17-11", "S17-15"), "n")
    assert controls == {f"{key}{kind}": key for key, of in kinds.items() for kind in of}
    for key, of in controls.items():
        control, claim = CLAIM[key].test, CLAIM[of].test
        assert control is not None
        assert claim is not None
        assert type(control) is type(claim), "the very test of its claim"
        assert (control.metric, control.margin) == (claim.metric, claim.margin)


World = Callable[[str, float], float]  # arm and logarithm of the steps -> loss


def trained(
    loss: World, load: Callable[[float], float], flops: Callable[[str], float] = lambda _: 1e4
) -> list[RunRecord]:
    """Five seeds per arm; arms do not share noise."""
    records = []
    for number, arm in enumerate(TRAINED):
        rng = np.random.default_rng(number)
        for seed in range(1000, 1005):
            noise = 0.002 * rng.standard_normal()
            curve = {f"valid/loss@{s}": loss(arm, math.log2(s)) + noise for s in STEPS}
            cv = load(BALANCE[arm][1]) if arm in BALANCE else 0.1
            routing = {
                "route/cv": cv * (1 + noise),
                "route/importance_cv": cv,
                "route/max_over_mean": 1 + 3 * cv + noise,
            }
            given = {"metrics": {**curve, **routing}, "flops_per_token": flops(arm), **SIZE}
            records.append(run(arm, seed, curve["valid/loss@4000"], **given))
    return records


def collapsed(weight: float) -> float:
    """Return a CV of the load that falls with the weight of its loss."""
    return 0.1 + 2.0 * (weight == 0) - 0.01 * weight


def as_in_the_paper(arm: str, data: float) -> float:
    """Collapse costs 0.1; the best size, and the gain from size, grow with the data."""
    if arm in BALANCE or arm in DOMAINS:
        return 3.1 if arm.startswith(NONE) else 3.0
    if arm in NULL:
        return 2.0
    size = math.log2(TO_256.get(arm, 4))
    return 4.0 + 0.01 * (size - (data - 4)) ** 2


def nothing_helps(arm: str, data: float) -> float:
    return 4.0


def verdicts(records: list[RunRecord]) -> dict[str, Verdict]:
    return {verdict.claim: verdict for verdict in judge(CLAIMS, records, "full")}


def test_a_world_where_the_paper_is_right() -> None:
    found = verdicts(trained(as_in_the_paper, collapsed))
    words = {f"S17-{n:02}": found[f"S17-{n:02}"].verdict for n in (1, 2, 3, 6, 7, 10, 11)}
    assert set(words.values()) == {VerdictLabel.REPRODUCED}, {k: found[k].why for k in words}
    assert {found[key].verdict for key in ("S17-06n", "S17-11n")} == {VerdictLabel.PASSED}
    assert not any(found[key].unequal for key in words)


def test_loads_of_the_last_tenth_are_used_if_recorded() -> None:
    records = trained(as_in_the_paper, collapsed)
    older = verdicts(records)["S17-02"]
    assert "loads are means over the last fifth" in older.caution
    assert older.caution in older.why
    assert older.measured[NONE]["route/cv"] == pytest.approx(2.1, abs=0.01)
    even = [replace(one, metrics={**one.metrics, "last_tenth/route/cv": 0.1}) for one in records]
    newer = verdicts(even)["S17-02"]
    assert "loads are means over the last fifth" not in newer.caution
    assert newer.effect == pytest.approx(1.0)


def test_a_world_where_nothing_helps() -> None:
    found = verdicts(trained(nothing_helps, lambda weight: 0.1))
    for key in ("S17-01", "S17-02", "S17-06", "S17-11"):
        assert found[key].verdict is VerdictLabel.NOT_REPRODUCED, found[key].why
    for key in ("S17-03", "S17-10"):
        assert found[key].verdict in (VerdictLabel.NOT_REPRODUCED, VerdictLabel.INCONCLUSIVE), (
            found[key].why
        )
    assert found["S17-07"].verdict is VerdictLabel.REPRODUCED


def test_a_loss_that_only_helps_with_scarce_capacity_is_named() -> None:
    def scarce(arm: str, data: float) -> float:
        return 3.0 if arm in DOMAINS else as_in_the_paper(arm, data)

    found = verdicts(trained(scarce, collapsed))["S17-01"]
    assert found.verdict is VerdictLabel.PARTIAL
    assert "holds under 1 of 2 choices (a world of facts)" in found.why
    assert "refuted under 1 of 2 choices (a world of sixteen domains)" in found.why


@pytest.mark.parametrize("rival", RIVALS)
def test_every_dense_rival_counts(rival: str) -> None:
    def unlike(arm: str, data: float) -> float:
        return as_in_the_paper(MOE_4, data) * (0.95 if arm == rival else 1.0)

    found = verdicts(trained(unlike, collapsed))["S17-07"]
    assert found.verdict is VerdictLabel.NOT_REPRODUCED
    assert found.effect == pytest.approx(1 / 0.95 - 1, abs=0.002)
    assert re.search(rf"\+5\.\d% from {rival}", found.why)


@pytest.mark.parametrize("control", ["S17-06n", "S17-11n"])
def test_a_failed_null_control_overturns_the_claim(control: str) -> None:
    def everywhere(arm: str, data: float) -> float:
        size = math.log2({**TO_256, **NULL}.get(arm, 4))
        return 4.0 + 0.01 * (size - (data - 4)) ** 2

    found = verdicts(trained(everywhere, collapsed))
    claim = CLAIM[control].control_of
    assert found[control].verdict is VerdictLabel.FAILED
    assert found[claim].verdict is VerdictLabel.INCONCLUSIVE
    assert found[claim].why.startswith(f"Control failed: {control}. Otherwise: reproduced")


def test_arms_that_cost_more_are_not_called_equal() -> None:
    def flops(arm: str) -> float:
        return 1.1e4 if arm in ("experts_64", "lstm_4x") else 1e4

    found = verdicts(trained(as_in_the_paper, collapsed, flops))
    assert found["S17-06"].unequal == {"moe_4 to experts_64": pytest.approx(1 / 1.1)}
    assert found["S17-07"].unequal == {"moe_4 to lstm_4x": pytest.approx(1 / 1.1)}


@pytest.fixture(scope="module")
def computed() -> list[RunRecord]:
    """The results of the functions; the one that trains several gates trains only one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arithmetic, "SEEDS", arithmetic.SEEDS[:1])
        found = {arm: import_function(reference)() for arm, reference in COMPUTED.items()}
    return [
        run(arm, seed, metrics=metrics)
        for arm, result in found.items()
        for seed, metrics in (result if arithmetic.SEEDS[0] in result else {0: result}).items()
    ]


def test_what_follows_from_formulas(computed: list[RunRecord]) -> None:
    found = verdicts(computed)
    keys = ("S17-04", "S17-05", "S17-08", "S17-14", "S17-14s", "S17-15")
    words = {key: found[key].verdict for key in keys}
    assert set(words.values()) == {VerdictLabel.REPRODUCED}, {key: found[key].why for key in words}
    assert {found[key].verdict for key in ("S17-05n", "S17-15n")} == {VerdictLabel.PASSED}
    assert found["S17-09"].verdict is VerdictLabel.NOT_REPRODUCED
    assert found["S17-09"].effect == pytest.approx(100 * (1 - 28.0 / 34.7))
    assert found["S17-12"].verdict is VerdictLabel.NOT_TESTABLE


def test_tables_show_the_papers_own_figures() -> None:
    records = trained(as_in_the_paper, lambda weight: 2.0 if weight == 0 else 0.125)
    table_6, table_7 = tables(records)
    assert len(table_6.rows) == 6
    assert table_6.rows[0][:2] == ["0, 0", "39.8"]
    assert float(table_6.rows[0][2]) == pytest.approx(math.exp(3.1), rel=0.01)
    assert table_6.rows[0][3:5] == ["3.04", "2.000 ± 0.000"]
    assert all(len(row) == len(table_6.head) for row in table_6.rows)
    by_arm = {row[0]: row for row in table_7.rows}
    assert set(FLAT) <= set(by_arm)
    assert by_arm["experts_256"][-2:] == ["MoE-256", "35.7"]
    assert by_arm["experts_256"][1] == "1,000"
    without = {row[0]: row for row in tables([])[1].rows}
    assert without["lstm_4x"][3] == "–"
    assert all(len(row) == len(table_7.head) for row in table_7.rows)


def test_the_figure_shows_the_floor_and_is_left_out_without_runs() -> None:
    [figure] = draw(trained(as_in_the_paper, lambda _: 0.1))
    theirs, ours = figure.charts
    assert "256: 35.7" in theirs
    # Floor of 8192 facts of 128 symbols: H(first) + H(second | first) = log 8192, a third of it.
    assert f"floor {math.exp(math.log(8192) / 3):.3g}" in ours
    assert draw([]) == []
