import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from moebench.data.objectives import SpanCorruption
from moebench.data.tokenizer import EOS, FIRST_TEXT, NUM_SENTINELS, SENTINEL


def restore(context: list[int], target: list[int]) -> list[int]:
    """Replace each sentinel by its span, without knowledge of how it was cut."""
    spans: dict[int, list[int]] = {}
    for token in target[:-1]:
        if SENTINEL <= token < FIRST_TEXT:
            spans[token] = []
            span = spans[token]
        else:
            span.append(token)
    return [t for token in context[:-1] for t in spans.get(token, [token])]


lengths = st.integers(3, 300)
densities = st.floats(0.02, 0.6)
means = st.floats(1.0, 8.0)


@settings(deadline=None, max_examples=200)
@given(lengths, densities, means, st.integers(0, 2**32))
def test_nothing_is_lost(length: int, density: float, mean: float, seed: int) -> None:
    objective = SpanCorruption(density, mean)
    try:
        width = objective.width(length)
    except ValueError:
        assume(False)
    rng = np.random.default_rng(seed)
    # EOS inside a window, between documents, is a token like any other.
    raw_BW = np.where(rng.random((5, width)) < 0.1, EOS, rng.integers(FIRST_TEXT, 400, (5, width)))
    batch = objective(raw_BW, np.zeros(5, dtype=np.int64), rng)
    assert batch.context_BL is not None
    assert batch.context_BL.shape == (5, length)
    cut = min(max(round(width * density), 1), width - 1)
    for raw, context, target in zip(
        raw_BW.tolist(), batch.context_BL.tolist(), batch.target_BL.tolist(), strict=True
    ):
        assert restore(context, target) == raw
        assert context[-1] == target[-1] == EOS
        sentinels = [t for t in target if SENTINEL <= t < FIRST_TEXT]
        assert sentinels == list(range(SENTINEL, SENTINEL + len(sentinels)))
        assert len(sentinels) <= NUM_SENTINELS
        assert len(target) - len(sentinels) - 1 == cut


@settings(deadline=None, max_examples=50)
@given(st.integers(20, 512))
def test_no_longer_window_fits_the_length(length: int) -> None:
    objective = SpanCorruption()
    width = objective.width(length)
    longer = objective(
        np.full((1, width + 1), 99), np.zeros(1, dtype=np.int64), np.random.default_rng()
    )
    assert longer.context_BL is not None
    assert longer.context_BL.shape[1] == length + 1


def test_every_span_pattern_is_equally_likely() -> None:
    """Six tokens, half of them cut in two spans: 2 x 2 patterns, found 1000 times each or so."""
    objective = SpanCorruption(density=0.5, mean_span=1.5)
    raw_BW = np.tile(np.arange(40, 46), (4000, 1))
    batch = objective(raw_BW, np.zeros(4000, dtype=np.int64), np.random.default_rng(0))
    patterns, counts = np.unique(batch.target_BL.numpy(), axis=0, return_counts=True)
    assert len(patterns) == 4
    # Four standard deviations of a binomial count of 4000 draws with chance 1/4.
    assert (abs(counts - 1000) < 4 * (4000 * 0.25 * 0.75) ** 0.5).all()
