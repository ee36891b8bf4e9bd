"""The claims about the bias and the scope, judged in worlds made for them."""

from collections.abc import Mapping

import numpy as np
import pytest

from moebench.evidence.record import RunRecord
from moebench.papers.claim import VerdictLabel
from moebench.testing.verdicts import run
from moebench.verdict import judge
from reproductions.loss_free_2024.bias_claims import BALANCE, BIAS
from reproductions.loss_free_2024.paper import CLAIMS
from reproductions.loss_free_2024.plan import PLAN
from reproductions.loss_free_2024.v3_claims import DEEPSEEK_V3, LAYERS

JUDGED = [c for c in (*BIAS, *DEEPSEEK_V3) if c.test and c.level != "arithmetic"]
ARMS = sorted({arm for claim in JUDGED for arm in claim.arms})
LOSS = {
    **{"free": 3.0, "free_softmax": 3.05, "multiplied": 3.002, "frozen": 3.0},
    **{"error_1e-3": 3.001, "error_1e-2": 3.01},
    **{"sequence_1e-4": 3.02, "sequence_1e-3": 3.02, "sequence_1e-2": 3.04, "sequence_1e-1": 3.1},
    **{"aux_0": 3.02, "aux_1e-4": 3.02, "aux_1e-3": 3.02, "aux_1e-2": 3.0, "aux_1e-1": 3.1},
    "aux_1.1e-2": 3.0,
}
GLOBAL = {
    **{"free": 0.05, "error_1e-3": 0.03, "error_1e-2": 0.02, "frozen": 0.06},
    **{"aux_0": 3.0, "aux_1e-4": 2.0, "aux_1e-3": 1.0, "aux_1e-2": 0.5, "aux_1e-1": 0.3},
    "aux_1.1e-2": 0.5,
}
BATCH = {"rate_1e-4": 1.5, "free": 0.3, "rate_1e-2": 0.6, "rate_1e-1": 1.4}
EARLY = {"rate_1e-4": 2.5, "free": 1.2, "rate_1e-2": 0.8}
LEFT = {"free": 0.1, "aux_1e-3": 0.8}
BY_DOMAIN = {"free": 0.12, "aux_1e-2": 0.09, "sequence_1e-2": 0.04}


def world(loss: Mapping[str, float] = LOSS, **more: Mapping[str, float]) -> list[RunRecord]:
    """Five seeds an arm, all metrics with a little noise."""
    rng = np.random.default_rng(0)
    of = {"global": GLOBAL, "batch": BATCH, "batch@100": EARLY, "left": LEFT, **more}
    records = []
    for arm in ARMS:
        for seed in range(5):
            wobble = float(rng.standard_normal()) * 0.001
            found = {
                f"{BALANCE}/{name}": values[arm] + wobble
                for name, values in of.items()
                if arm in values
            }
            if arm in BY_DOMAIN:
                nmi = of.get("domains", BY_DOMAIN)[arm] + wobble
                found |= {f"analysis/{layer}/domain_nmi": nmi for layer in range(LAYERS)}
            records.append(run(arm, seed, loss.get(arm, 3.0) + wobble, metrics=found))
    return records


def words(records: list[RunRecord]) -> dict[str, VerdictLabel]:
    return {one.claim: one.verdict for one in judge(JUDGED, records, "full")}


def test_all_claims_of_both_papers_are_there() -> None:
    keys = {claim.key for claim in CLAIMS if claim.of_paper}
    assert keys == {
        *(f"LF24-0{number}" for number in range(1, 10)),
        *(f"DV24-0{number}" for number in range(1, 4)),
    }


def test_full_runs_every_arm_with_enough_seeds_and_quick_the_headline() -> None:
    full, quick = PLAN.profile("full"), PLAN.profile("quick")
    for claim in JUDGED:
        assert all(full.seeds_of(arm) >= claim.seeds for arm in claim.arms)
        assert set(claim.arms) <= set(full.arms)
    decided = {c.key for c in JUDGED if all(PLAN.runs(quick, arm) for arm in c.arms)}
    assert decided == {"LF24-01", "LF24-09"}


def test_a_world_as_the_papers_claim() -> None:
    found = words(world())
    assert found.pop("LF24-01n") is VerdictLabel.PASSED
    assert found.pop("DV24-02n") is VerdictLabel.PASSED
    assert set(found.values()) == {VerdictLabel.REPRODUCED}, found


NOT = VerdictLabel.NOT_REPRODUCED


@pytest.mark.parametrize(
    ("key", "word", "changes"),
    [
        # A weight that matches it in both refutes it; one that is as even costs more.
        ("LF24-01", NOT, {"global": {**GLOBAL, "aux_1e-2": 0.05}}),
        ("LF24-01", VerdictLabel.REPRODUCED, {"global": {**GLOBAL, "aux_1e-1": 0.05}}),
        # Far more even, but with as high a loss as with the weight of the paper.
        ("LF24-01", VerdictLabel.PARTIAL, {"loss": {**LOSS, "aux_1e-3": 3.0}}),
        ("LF24-03", NOT, {"batch": {**BATCH, "free": 2.0, "rate_1e-2": 2.0}}),
        # Ten times the printed rates, of which 0.01 is the middle.
        ("LF24-03", VerdictLabel.REPRODUCED, {"batch": {**BATCH, "rate_1e-2": 0.1}}),
        ("LF24-04", NOT, {"global": {**GLOBAL, "error_1e-3": 0.05, "error_1e-2": 0.05}}),
        ("LF24-04", VerdictLabel.PARTIAL, {"loss": {**LOSS, "error_1e-2": 2.95}}),
        ("LF24-05", NOT, {"loss": {**LOSS, "multiplied": 2.95}}),
        ("LF24-08", NOT, {"loss": {**LOSS, "free_softmax": 2.95}}),
        ("LF24-09", NOT, {"left": {"free": 0.78, "aux_1e-3": 0.8}}),
        ("DV24-01", NOT, {"loss": {**LOSS, "sequence_1e-3": 3.0}}),
        ("DV24-02", NOT, {"loss": {**LOSS, "sequence_1e-2": 3.001}}),
        ("DV24-02", VerdictLabel.PARTIAL, {"loss": {**LOSS, "aux_1e-2": 3.02}}),
        ("DV24-02n", VerdictLabel.FAILED, {"loss": {**LOSS, "independent_sequence": 3.1}}),
        ("DV24-03", NOT, {"domains": {**BY_DOMAIN, "aux_1e-2": 0.12}}),
        ("DV24-04", NOT, {"global": {**GLOBAL, "frozen": 0.3}}),
        ("DV24-04", VerdictLabel.PARTIAL, {"loss": {**LOSS, "frozen": 3.05}}),
    ],
)
def test_what_decides_each(
    key: str, word: VerdictLabel, changes: dict[str, Mapping[str, float]]
) -> None:
    assert words(world(**changes))[key] is word
