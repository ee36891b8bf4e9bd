"""Hash routing by tables, checkable with a pencil."""

from dataclasses import replace

import pytest
import torch

from moebench.moe.routers import BalancedHash, HashTable, Random
from moebench.moe.routers.balanced_hash import balanced_table
from moebench.moe.routers.hash_table import HashedDecision

from .fakes import rows

# Right, left, up, down; a token's bucket is where it points most.
COMPASS_BD = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
X_TD = torch.tensor([[2.0, 1.0], [-1.0, 3.0], [2.0, 1.0], [0.0, -1.0]])


def test_a_token_goes_to_the_expert_of_its_bucket() -> None:
    router = HashTable(2, 2, buckets=4)
    router.direction_BD, router.table_B = COMPASS_BD, torch.tensor([0, 0, 1, 0])
    decision = router(X_TD)
    assert isinstance(decision, HashedDecision)
    assert decision.bucket_T.tolist() == [0, 2, 0, 3]
    assert rows(decision) == [(0, 0, 1.0), (1, 1, 1.0), (2, 0, 1.0), (3, 0, 1.0)]
    assert torch.equal(decision.probs_TE[1], torch.tensor([0.0, 1.0]))


def test_frequent_buckets_are_spread() -> None:
    # 5 to the first, 3 and 3 to the second, 1 to the first again: 6 each.
    assert balanced_table(torch.tensor([5, 3, 3, 1]), 2).tolist() == [0, 1, 1, 0]
    assert balanced_table(torch.zeros(4, dtype=torch.int64), 2).bincount().tolist() == [2, 2]


def test_the_table_is_filled_once_after_the_steps_that_are_counted() -> None:
    router = BalancedHash(2, 2, buckets=4, counted=2)
    router.direction_BD = COMPASS_BD
    assert router.table_B.tolist() == [0, 1, 0, 1]
    router.update([router(X_TD), router(X_TD)])
    assert router.count_B.tolist() == [4, 0, 2, 2]
    assert router.table_B.tolist() == [0, 1, 0, 1]
    router.update([router(X_TD)])
    # 6, 3, 3 and none: the first alone with one expert, the others with the other.
    filled = [0, 0, 1, 1]
    assert router.table_B.tolist() == filled
    router.update([router(X_TD.flip(0)[:1])])
    assert router.table_B.tolist() == filled
    assert router.count_B.tolist() == [6, 0, 3, 3]


def test_balance_on_skewed_buckets() -> None:
    """A balanced table evens out what a random one leaves uneven."""
    torch.manual_seed(0)
    x_TD = torch.randn(4096, 16) + 0.7 * torch.randn(16)
    balanced, drawn = BalancedHash(16, 8, counted=1), HashTable(16, 8)
    balanced.update([balanced(x_TD)])
    most = [r(x_TD).expert_A.bincount(minlength=8).max() / 512 for r in (balanced, drawn)]
    assert most[0] < 1.05
    assert most[1] > 1.1


def test_near_buckets_share_an_expert_in_a_clustered_table() -> None:
    def alike(kind: str) -> float:
        """Return how often the two nearest buckets share an expert."""
        router = HashTable(4, 4, kind, buckets=256)
        near_BB = router.direction_BD @ router.direction_BD.T
        nearest_B = near_BB.fill_diagonal_(-2).argmax(dim=-1)
        return float((router.table_B == router.table_B[nearest_B]).double().mean())

    assert alike("clustered") > 0.6
    assert alike("random") < 0.4


def test_tables_depend_on_their_own_seed_only() -> None:
    torch.manual_seed(1)
    first = HashTable(8, 4)
    torch.manual_seed(2)
    again, other = HashTable(8, 4), HashTable(8, 4, seed=1)
    assert torch.equal(first.table_B, again.table_B)
    assert not torch.equal(first.table_B, other.table_B)


def test_buckets_of_another_router_are_not_known() -> None:
    router = BalancedHash(2, 2)
    with pytest.raises(ValueError, match="a RoutingDecision does not say the buckets"):
        router.update([Random(2, 2)(X_TD)])
    limited = replace(router(X_TD), kept_A=torch.zeros(4, dtype=torch.bool))
    router.update([limited])
    assert int(router.count_B.sum()) == 4, "those that were dropped count, too"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: HashTable(2, 4, buckets=3), "buckets=3: must be at least num_experts=4"),
        (lambda: HashTable(2, 4, "fixed"), "table=fixed: must be one of random, clustered"),
        (lambda: HashTable(2, 0), "num_experts=0: a router needs at least 1 expert"),
        (lambda: BalancedHash(2, 4, counted=0), "counted=0: must be at least 1 step"),
    ],
)
def test_arguments_out_of_range_are_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
