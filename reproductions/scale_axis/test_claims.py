"""The claims: run by their profiles, judged right in worlds made for them, shown as they are."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from moebench.evidence.record import RunRecord
from moebench.experiment import read_yaml
from moebench.moe.capacity.limit import seen_in_queues
from moebench.moe.sees import Sees
from moebench.papers import target
from moebench.papers.claim import VerdictLabel
from moebench.testing.verdicts import run
from moebench.verdict import judge
from reproductions.scale_axis.comparisons import (
    ENDS,
    NARROW,
    SEEDS,
    SIZES,
    SMALL,
    TESTS,
    arm,
)
from reproductions.scale_axis.figures import draw
from reproductions.scale_axis.paper import CLAIMS, QUESTIONS
from reproductions.scale_axis.plan import (
    ARMS,
    FULL,
    GPU,
    GPU_WIDTHS,
    MIXTURES,
    PLAN,
    QUICK_ARMS,
    WIDTHS,
)
from reproductions.scale_axis.tables import tables

Loss = Callable[[int, str], float]  # of the place of a size and of what an arm is
# What an arm has less of loss than the dense model at the sizes in turn.
AS_ASKED = {
    "dense": (0.0, 0.0, 0.0),
    "one_expert": (0.0, 0.0, 0.0),
    "narrow": (-0.1, -0.1, -0.1),
    "mixture": (0.05, 0.06, 0.07),
    "two_choices": (0.10, 0.09, 0.08),
    "experts_32": (0.08, 0.10, 0.12),
    "unbalanced": (0.02, 0.03, 0.04),
}


def active(width: int, layers: int = 4) -> int:
    """The weights in the matrices of a dense model: embedding, attention and blocks."""
    return width * (FULL.vocabulary + 12 * layers * width)


def asked(place: int, what: str) -> float:
    """The loss where all claims hold."""
    return 3.5 - 0.4 * place - AS_ASKED[what][place]


def trained(
    loss: Loss, seeds: int = SEEDS, names: tuple[str, ...] = tuple(ARMS)
) -> list[RunRecord]:
    """Runs of every arm around its loss; without a balance weight, one expert is busy."""
    rng = np.random.default_rng(0)
    return [
        run(
            name,
            seed,
            loss(place, what) + rng.normal(scale=0.001),
            params_active=active(WIDTHS[place]),
            steps=FULL.steps,
            metrics={"route/max_violation": 1.5 * (what == "unbalanced") + rng.normal(scale=0.01)},
        )
        for name in names
        for size, what in [ARMS[name]]
        for place in [SIZES.index(size)]
        for seed in range(1000, 1000 + seeds)
    ]


def words(loss: Loss) -> dict[str, VerdictLabel]:
    """The word for every claim."""
    return {one.claim: one.verdict for one in judge(CLAIMS, trained(loss), "full")}


def test_worlds_as_asked_bear_out_all_claims_and_all_controls() -> None:
    expected = {
        claim.key: VerdictLabel.PASSED if claim.control_of else VerdictLabel.REPRODUCED
        for claim in CLAIMS
    }
    assert words(asked) == expected


def test_the_other_way_round_over_the_sizes_none_is_borne_out() -> None:
    """Arms keep their losses, but the smallest has what the largest had."""
    found = words(lambda place, what: 3.5 - 0.4 * place - 3 * AS_ASKED[what][2 - place])
    for key in ("SA26-01", "SA26-02", "SA26-03"):
        assert found[key] is VerdictLabel.NOT_REPRODUCED, key
    assert found["SA26-01p"] is found["SA26-01n"] is VerdictLabel.PASSED


def test_a_control_that_fails_binds_every_claim_but_the_uncontrolled() -> None:
    """One expert gains more and more where it computes what its twin does."""
    found = words(lambda place, what: asked(place, what) - 0.25 * place * (what == "one_expert"))
    assert found["SA26-01n"] is VerdictLabel.FAILED
    for claim in QUESTIONS:
        expected = VerdictLabel.REPRODUCED if claim.uncontrolled else VerdictLabel.INCONCLUSIVE
        assert found[claim.key] is expected, claim.key


@pytest.mark.parametrize(("gaining", "reproduced"), [(0, False), (2, True)])
def test_a_gain_of_the_smallest_alone_is_told_from_one_of_the_largest(
    gaining: int, reproduced: bool
) -> None:
    def gains(place: int, what: str) -> float:
        return 3.5 - AS_ASKED[what][place] * (place == gaining or what == "narrow")

    word = VerdictLabel.REPRODUCED if reproduced else VerdictLabel.NOT_REPRODUCED
    assert words(gains)["SA26-01"] is word


def test_profiles_have_the_seeds_that_their_claims_ask_for() -> None:
    for name in ("quick", "full", "gpu"):
        profile = PLAN.profile(name)
        judged = [one for one in CLAIMS if set(one.arms) <= set(profile.arms)]
        if name != "quick":
            assert all(profile.seeds_of(a) >= one.seeds for one in judged for a in one.arms)
        questions = [one.key for one in judged if not one.control_of]
        assert questions == (["SA26-01"] if name == "quick" else [q.key for q in QUESTIONS])
        assert len(judged) - len(questions) == 2 * sum(not one.uncontrolled for one in QUESTIONS)
    assert {size for size, what in map(ARMS.__getitem__, QUICK_ARMS) if what == "one_expert"} == {
        *ENDS
    }


def test_all_arms_are_trained_alike_but_for_the_rate_that_their_size_sets() -> None:
    for profile in map(PLAN.profile, ("quick", "full", "gpu")):
        ways = set()
        for name in profile.arms:
            own = dict(profile.arm_settings[name])
            rate = own.pop("model.optimizer")["init_args"]["lr"]  # type: ignore[index]
            training = {k: v for k, v in own.items() if not k.startswith("model.network")}
            ways.add(str(sorted(training.items())))
            assert rate * own["model.network.init_args.shape.width"] == pytest.approx(0.768)
        assert len(ways) == 1


def test_an_arm_changes_what_its_name_says() -> None:
    changes = {what: PLAN.arm(arm(SMALL, what)).settings for what in MIXTURES}
    router = "model.network.init_args.sparse.router.init_args.router.init_args"
    assert changes == {
        "mixture": {},
        "two_choices": {f"{router}.k": 2},
        "experts_32": {f"{router}.num_experts": 32},
        "unbalanced": {"model.losses": [{"loss": "LoadBalance", "weight": 0.0}]},
        "one_expert": {f"{router}.num_experts": 1},
    }
    own: Any = PLAN.profile("full").arm_settings
    for name, settings in own.items():
        width = settings["model.network.init_args.shape.width"]
        shape = settings["model.network.init_args.shape.hidden"]
        assert shape == (width if ARMS[name][1] == NARROW else 4 * width), name
        experts = settings.get("model.network.init_args.sparse.experts.init_args.hidden", shape)
        assert experts == shape, name


def test_whether_one_of_two_choices_is_kept_depends_on_no_later_token() -> None:
    network = read_yaml(target("scale").configs / "mixture.yaml")["model"]["network"]
    capacity = network["init_args"]["sparse"]["router"]["init_args"]["capacity"]
    assert seen_in_queues(capacity["priority"], k=2) is Sees.CAUSAL


def test_sizes_are_those_that_were_asked_for() -> None:
    assert [active(width) / 1e6 for width in WIDTHS] == pytest.approx([0.1, 0.3, 1], rel=0.2)
    large = [active(width, GPU.layers) / 1e6 for width in GPU_WIDTHS]
    assert large == pytest.approx([10, 30, 100], rel=0.1)


def test_the_figure_has_a_panel_for_every_comparison() -> None:
    [figure] = draw(trained(asked))
    [chart] = figure.charts
    for title in TESTS:
        assert title in chart, title
    assert re.search(r"81,920: 0\.0[45]\d* \[", chart)
    assert draw([]) == []
    assert draw(trained(asked, seeds=1)) == []
    quick = draw(trained(asked, names=tuple(QUICK_ARMS)))
    assert [title in quick[0].charts[0] for title in TESTS] == [True, False, False, False, False]


def test_the_table_has_all_gains_and_trends() -> None:
    [table] = tables(trained(asked))
    assert table.head[2:] == ["small, 81.9 k", "medium, 262 k", "large, 918 k", "a tenfold"]
    for row, test in zip(table.rows, TESTS.values(), strict=True):
        assert len(row) == len(table.head)
        assert all(re.match(r"[+−]\d.* \[", cell) for cell in row[2:]), row
        assert row[1] == test.gain_unit
    [empty] = tables([])
    assert {cell for row in empty.rows for cell in row[2:]} == {"–"}
    assert empty.head[2:] == [*SIZES, "a tenfold"]


def test_arms_are_named_by_their_size() -> None:
    assert all(name == arm(*of) for name, of in ARMS.items())
