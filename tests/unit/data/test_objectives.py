import numpy as np
import pytest

from moebench.data.objectives import OBJECTIVES, NextToken, SpanCorruption, _replace
from moebench.data.tokenizer import EOS, NUM_SENTINELS, PAD, SENTINEL

RNG = np.random.default_rng(0)


def test_next_token_shifts_by_one() -> None:
    raw_BW = np.array([[40, 41, 42, 43], [50, 51, 52, 53]])
    batch = NextToken()(raw_BW, np.array([1, 0]), RNG)
    assert NextToken().width(3) == 4
    assert batch.input_BL.tolist() == [[40, 41, 42], [50, 51, 52]]
    assert batch.target_BL.tolist() == [[41, 42, 43], [51, 52, 53]]
    assert batch.context_BL is None
    assert batch.domain_B.tolist() == [1, 0]


def test_the_papers_example_of_spans() -> None:
    """Figure 2 of the paper: `Thank you for inviting me to your party last week.`.

    `for inviting` and `last` are cut out; input `Thank you <X> me to your party <Y> week.`,
    target `<X> for inviting <Y> last <Z>`, where EOS stands for the last sentinel.
    """
    thank, you, for_, inviting, me, to, your, party, last, week = range(40, 50)
    raw_BW = np.array([[thank, you, for_, inviting, me, to, your, party, last, week]])
    cut_BW = np.isin(raw_BW, [for_, inviting, last])
    x, y, z = SENTINEL, SENTINEL + 1, SENTINEL + 2
    encoder = [thank, you, x, me, to, your, party, y, week, EOS]
    assert _replace(raw_BW, cut_BW).tolist() == [encoder]
    # In the paper's example the window ends with text that is kept: a third sentinel opens it.
    assert _replace(raw_BW, ~cut_BW).tolist() == [[x, for_, inviting, y, last, z, EOS]]


def test_the_papers_lengths() -> None:
    """The released configuration reads 568 raw tokens for an input of 512 and a target of 114."""
    objective = SpanCorruption()
    assert objective.width(512) == 568
    batch = objective(np.full((1, 568), 99), np.array([0]), RNG)
    assert batch.context_BL is not None
    assert batch.context_BL.shape == (1, 512)
    assert batch.input_BL.shape == batch.target_BL.shape == (1, 114)


def test_the_decoder_starts_with_pad_and_sees_the_target_before() -> None:
    objective = SpanCorruption(density=0.5, mean_span=2)
    raw_BW = RNG.integers(34, 300, (4, objective.width(20)))
    batch = objective(raw_BW, np.arange(4), RNG)
    assert (batch.input_BL[:, 0] == PAD).all()
    assert (batch.input_BL[:, 1:] == batch.target_BL[:, :-1]).all()
    assert (batch.target_BL[:, 0] == SENTINEL).all()


def test_randomness_comes_from_the_generator_alone() -> None:
    raw_BW, domain_B = np.full((8, 70), 99), np.arange(8)
    first, again, other = (
        SpanCorruption()(raw_BW, domain_B, np.random.default_rng(seed)).target_BL
        for seed in (5, 5, 6)
    )
    assert (first == again).all()
    assert not (first == other).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"density": 0.0}, r"^objective\.density=0\.0: must be between 0 and 1$"),
        ({"density": 1.0}, r"^objective\.density=1\.0: must be between 0 and 1$"),
        ({"mean_span": 0.5}, r"^objective\.mean_span=0\.5: must be at least 1 token$"),
    ],
)
def test_impossible_spans(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SpanCorruption(**arguments)


def test_impossible_lengths() -> None:
    with pytest.raises(ValueError, match=r"^data\.length=2: span corruption needs at least 3"):
        SpanCorruption().width(2)
    with pytest.raises(ValueError, match=rf"make \d+ spans; at most {NUM_SENTINELS} are possible$"):
        SpanCorruption().width(2048)
    with pytest.raises(ValueError, match=r"density 0\.9 and mean_span 1\.0 make .* are possible$"):
        SpanCorruption(density=0.9, mean_span=1.0).width(30)


def test_all_objectives_are_listed() -> None:
    assert set(OBJECTIVES.values()) == {NextToken, SpanCorruption}
