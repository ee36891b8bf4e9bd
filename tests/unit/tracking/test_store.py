"""Names and numbers as MLflow takes them."""

from moebench.tracking.store import legal, parts


def test_legal_names_and_parts() -> None:
    assert legal("valid/loss@10 (a)") == "valid/loss_10 _a_"
    assert len(legal("x" * 300)) == 250
    assert [list(some) for some in parts([1, 2, 3], 2)] == [[1, 2], [3]]
