"""Fine-grained and shared experts as configuration: same parameters, and what does not fit."""

import pytest

from moebench.experiment import load
from moebench.papers import target
from moebench.papers.settings import NETWORK
from reproductions.deepseekmoe_2024.layouts import layout

ROUTER, HIDDEN = f"{NETWORK}.sparse.router", f"{NETWORK}.sparse.experts.init_args.hidden"


def split(**how: int) -> tuple[int, int, int, int]:
    """Routed experts, how many of them a token visits, their width, and that of the shared ones."""
    found = layout(**how)
    router, shared = found[ROUTER]["init_args"], found[f"{NETWORK}.shared"]
    together = shared["init_args"]["hidden"] if shared else 0
    return router["num_experts"], router["k"], found[HIDDEN], together


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({}, (16, 2, 128, 0)),
        ({"finer": 4}, (64, 8, 32, 0)),
        ({"finer": 4, "shared": 1}, (63, 7, 32, 32)),
        ({"finer": 4, "shared": 4}, (60, 4, 32, 128)),
        ({"finer": 4, "shared": 1, "active": 4}, (63, 3, 32, 32)),
        ({"finer": 2, "shared": 3}, (29, 1, 64, 192)),
    ],
)
def test_by_hand(how: dict[str, int], expected: tuple[int, int, int, int]) -> None:
    assert split(**how) == expected


@pytest.mark.parametrize("finer", [1, 2, 4, 8])
def test_whatever_the_split_all_experts_and_active_ones_are_as_wide(finer: int) -> None:
    for shared in range(2 * finer):
        routed, k, width, together = split(finer=finer, shared=shared)
        assert routed * width + together == 16 * 128
        assert k * width + together == 2 * 128


@pytest.mark.parametrize(
    ("how", "refusal"),
    [
        ({"shared": 2}, "shared=2: must lie between 0 and 1; one of the 2 active"),
        ({"finer": 4, "shared": 8}, "shared=8: must lie between 0 and 7"),
        ({"shared": -1}, "shared=-1: must lie between 0 and 1"),
        ({"finer": 3}, "finer=3: must divide the hidden width of an expert, 128"),
    ],
)
def test_what_does_not_fit_is_refused(how: dict[str, int], refusal: str) -> None:
    with pytest.raises(ValueError, match=refusal):
        layout(**how)


def test_the_configuration_of_the_paper_is_the_split_in_four_with_one_shared() -> None:
    found = target("deepseek")
    [file] = found.plan.arm("deepseek").configs
    plain = load([found.configs / file])
    assert load([found.configs / file], layout(4, shared=1)).config == plain.config
