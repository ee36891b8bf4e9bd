"""The command lines of the benchmarks refuse what they cannot measure."""

import pytest

from benchmarks import layer, train


@pytest.mark.parametrize("benchmark", [layer, train])
@pytest.mark.parametrize("given", ["1", "0", "-3", "many"])
def test_one_round_has_no_quartiles(benchmark, given: str, monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.argv", ["benchmark", "--rounds", given])
    with pytest.raises(SystemExit) as stopped:
        benchmark.main()
    assert stopped.value.code == 2
    assert f"--rounds: {given}: must be a whole number of 2 or more" in capsys.readouterr().err
