"""The claim about hash routing, judged in worlds made for it."""

from collections.abc import Mapping

import pytest

from moebench.evidence.record import RunRecord
from moebench.papers.claim import VerdictLabel
from moebench.testing.verdicts import run, verdict_of
from reproductions.source_notes.hash_claims import CLAIMS_HASHING, HASHES, LEARNED, UNBALANCED
from reproductions.source_notes.hash_judging import AvoidsProblems

[CLAIM] = CLAIMS_HASHING
OFF = (0.0, 1.0, -1.0, 0.5, -0.5)  # of five seeds
GATES = {UNBALANCED: (3.0, 2.6), LEARNED: (0.4, 2.5)}  # busiest expert over the mean, and loss


def records(hashes: Mapping[str, tuple[float, float]], spread: float = 0.0005) -> list[RunRecord]:
    """Return five runs an arm around imbalance and loss; hashes spread as given."""
    found = []
    for place, (arm, (imbalance, loss)) in enumerate({**hashes, **GATES}.items()):
        width = spread if arm in hashes else 0.0005
        for seed in range(5):
            off = OFF[(seed + place) % 5]
            metrics = {"route/max_violation": imbalance + 0.01 * off}
            found.append(run(arm, 1000 + seed, loss + width * off, metrics=metrics))
    return found


def all_alike(imbalance: float, loss: float) -> dict[str, tuple[float, float]]:
    return dict.fromkeys(HASHES.values(), (imbalance, loss))


@pytest.mark.parametrize(
    ("hashes", "spread", "word"),
    [
        (all_alike(0.5, 2.5), 0.0005, VerdictLabel.REPRODUCED),
        (all_alike(0.5, 2.6), 0.0005, VerdictLabel.PARTIAL),  # even, at the price of a worse loss
        (all_alike(0.5, 2.4), 0.05, VerdictLabel.PARTIAL),  # or of one that varies more
        (all_alike(3.1, 2.5), 0.0005, VerdictLabel.NOT_REPRODUCED),
        ({**all_alike(0.5, 2.5), "hash_random": (3.1, 2.5)}, 0.0005, VerdictLabel.PARTIAL),
    ],
)
def test_loads_loss_and_spread_all_count(
    hashes: Mapping[str, tuple[float, float]], spread: float, word: VerdictLabel
) -> None:
    assert verdict_of(CLAIM, records(hashes, spread)).verdict is word


def test_nothing_allowed_is_refused() -> None:
    with pytest.raises(ValueError, match="allowed=0: must be above 0"):
        AvoidsProblems(under=HASHES, unbalanced=UNBALANCED, learned=LEARNED, allowed=0)
