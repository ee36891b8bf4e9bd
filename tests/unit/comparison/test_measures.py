"""Values of records by which runs are compared."""

import pytest

from moebench.comparison.measures import mean_values, value_of
from moebench.testing.verdicts import run


def test_a_metric_or_a_number_of_the_record() -> None:
    record = run("switch", metrics={"valid/loss": 3.0, "valid/loss@5": 3.5}, params_total=7)
    assert value_of(record, "valid/loss") == 3.0
    assert value_of(record, "params_total") == 7.0
    with pytest.raises(
        ValueError, match=r"objectives\.valid/los: no run logs it; the nearest: valid/loss$"
    ):
        value_of(record, "valid/los")
    with pytest.raises(ValueError, match=r"constraints\.seed: "):
        value_of(record, "seed", "constraints")


def test_a_mean_is_of_records_that_all_have_the_value() -> None:
    records = [run("switch", seed, metrics={"valid/loss": loss}) for seed, loss in ((0, 2), (1, 3))]
    assert mean_values(records, ["valid/loss"]) == [2.5]
    with pytest.raises(ValueError, match="route/dropped"):
        mean_values(records, ["route/dropped"])
