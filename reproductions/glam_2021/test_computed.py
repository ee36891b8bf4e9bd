"""What printed figures add up to: by hand where a pencil is enough, and judged."""

from types import SimpleNamespace

import pytest
import torch

from moebench.papers import target
from moebench.papers.claim import VerdictLabel
from moebench.papers.computed import import_function
from moebench.testing.verdicts import run
from moebench.training.cost import count_batch, parameters
from moebench.verdict import judge
from reproductions.glam_2021.arithmetic import active_parameters, decoder
from reproductions.glam_2021.claims_computed import OF_FUNCTIONS, SMALLER
from reproductions.glam_2021.published import Model
from reproductions.glam_2021.tables import tables

# Two layers, a dense block and four experts; heads of 8 for a width of 16, as in the largest model.
TINY = Model("1K", "1K", layers=2, width=16, hidden=32, heads=4, head_width=8, experts=4)


def test_parameters_by_hand() -> None:
    # Embedding, two attentions of four matrices, a gated block of three, a gate, norms; experts of
    # two matrices.
    attention, block, expert = 4 * 16 * 32, 3 * 16 * 32, 2 * 16 * 32
    shared = 100 * 16 + 2 * attention + block + 4 * 16 + 5 * 16
    model = decoder(TINY, 100)
    assert parameters(model) == shared + 4 * expert
    assert active_parameters(model) == shared + 2 * expert


def test_active_parameters_are_those_of_the_counter() -> None:
    model = decoder(TINY, 100)
    with torch.device("meta"):
        input_BL = torch.empty(1, 8, dtype=torch.int64)
    cost = count_batch(model, SimpleNamespace(input_BL=input_BL, context_BL=None))
    assert active_parameters(model) == cost.params_active
    dense = decoder(TINY._replace(experts=0), 100)
    assert active_parameters(dense) == parameters(dense)


@pytest.fixture(scope="module")
def computed() -> dict[str, dict[str, float]]:
    plan = target("glam").plan
    return {arm: import_function(function)() for arm, function in plan.computed.items()}


def test_the_largest_model_by_hand(computed: dict[str, dict[str, float]]) -> None:
    # 64 layers of width 8192: attentions with 128 heads of 128, half of the blocks dense.
    attention = 64 * 4 * 8192 * 128 * 128
    dense, expert = 32 * 3 * 8192 * 32768, 32 * 2 * 8192 * 32768
    rest = 256_000 * 8192 + 32 * 64 * 8192 + (2 * 64 + 1) * 8192
    found = computed["table_4"]
    assert found["64B/64E, total"] == attention + dense + 64 * expert + rest
    assert found["64B/64E, active"] == attention + dense + 2 * expert + rest
    smaller = found["64B/64E, total"] - found[f"64B/64E, total{SMALLER}"]
    assert smaller == (256_000 - 32_000) * 8192


def test_what_computation_decides(computed: dict[str, dict[str, float]]) -> None:
    records = [run(arm, metrics=metrics) for arm, metrics in computed.items()]
    verdicts = {one.claim: one for one in judge(OF_FUNCTIONS, records, "full")}
    words = {key: one.verdict for key, one in verdicts.items()}
    reproduced = {key for key, word in words.items() if word is VerdictLabel.REPRODUCED}
    assert reproduced == {"GL21-01", "GL21-02m", "GL21-02v"}
    assert words["GL21-01f"] is words["GL21-02t"] is VerdictLabel.NOT_REPRODUCED
    assert "1.7B/32E, total off is 0.558" in verdicts["GL21-02t"].why
    assert "64B/64E" not in verdicts["GL21-02t"].why.split(": ", 1)[1]


def test_the_table_marks_what_adds_up(computed: dict[str, dict[str, float]]) -> None:
    [table] = tables([run("table_4", metrics=computed["table_4"])])
    rows = {row[0]: row[1:] for row in table.rows}
    assert len(table.head) == 1 + len(rows["0.1B"])
    assert rows["64B/64E"] == ["1.2T", "**1,162B**", "**1,160B**", "96.6B", "**96.6B**", "94.77B"]
    assert rows["1.7B/32E"][:3] == ["20B", "14.42B", "13.96B"]
    [empty] = tables([])
    assert set(empty.rows[0][1:]) == {"130M", "–"}
