"""The command lines of the benchmarks refuse what they cannot measure."""

from types import ModuleType

import pytest

from benchmarks import (
    checkpoint,
    compare,
    experts,
    generate,
    layer,
    quality,
    scheduler,
    sweep,
    train,
    verdicts,
    virtual_cluster,
)
from benchmarks.timing import ratios


def refused(
    benchmark: ModuleType,
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> str:
    """Return the one line of a refusal."""
    monkeypatch.setattr("sys.argv", ["benchmark", *arguments])
    with pytest.raises(SystemExit) as stopped:
        benchmark.main()
    assert stopped.value.code == 2
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    return told.err


@pytest.mark.parametrize("given", ["1", "0", "-3", "many"])
def test_one_round_has_no_quartiles(given: str, monkeypatch, capsys) -> None:
    line = refused(train, ["--rounds", given], monkeypatch, capsys)
    assert f"--rounds: {given}: must be a whole number of 2 or more" in line


@pytest.mark.parametrize(
    ("benchmark", "options"),
    [
        (checkpoint, "rounds width layers hidden"),
        (compare, "rounds trials run steps"),
        (experts, "rounds experts rows k dim hidden"),
        (generate, "rounds width layers hidden vocabulary prompt tokens"),
        (layer, "rounds experts k dim hidden tokens"),
        (quality, "steps points seeds"),
        (scheduler, "jobs workers"),
        (sweep, "rounds workers trials steps"),
        (train, "rounds steps"),
        (verdicts, "claims"),
        (virtual_cluster, "nodes trials"),
    ],
)
def test_zero_sizes_are_refused(benchmark: ModuleType, options: str, monkeypatch, capsys) -> None:
    for option in options.split():
        line = refused(benchmark, [f"--{option}", "0"], monkeypatch, capsys)
        assert f"--{option}: 0: must be a whole number of " in line


@pytest.mark.parametrize(
    ("benchmark", "arguments", "words"),
    [
        (checkpoint, "--width 32", "--width: 32: must be a multiple of 256"),
        (generate, "--width 320", "--width: 320: must be a multiple of 256"),
        (generate, "--vocabulary 3", "--vocabulary: 3: must be a whole number of 4 or more"),
        (layer, "--dim 12", "--dim: 12: must be a multiple of 8"),
        (layer, "--experts 2 --k 3 --dim 8 --hidden 8", "k=3"),
        (experts, "--experts 4 2 --k 3 --hand-back", "k=3"),
        (compare, "--run 4 --trials 4", "--run 4: must be fewer than --trials 4"),
        (compare, "--steps 9", "--steps: 9: must be a whole number of 10 or more"),
        (quality, "--workers 0", "workers=0: must be at least 1"),
        (quality, "--name ../up", "name=../up: becomes a folder"),
        (sweep, "--workers 1", "--workers 1: compared with one, so must be 2 or more"),
    ],
)
def test_incompatible_sizes_are_refused(
    benchmark: ModuleType, arguments: str, words: str, monkeypatch, capsys
) -> None:
    assert words in refused(benchmark, arguments.split(), monkeypatch, capsys)


@pytest.mark.parametrize(
    ("benchmark", "arguments"),
    [
        (experts, "--experts 4 --rows 4 --hidden 99999999999 --hand-back"),
        (generate, "--width 2560000000"),
        (layer, "--tokens 99999999999999"),
        (layer, "--tokens 9999999999999999999999"),
    ],
)
def test_sizes_beyond_all_memory_are_refused(
    benchmark: ModuleType, arguments: str, monkeypatch, capsys
) -> None:
    line = refused(benchmark, arguments.split(), monkeypatch, capsys)
    assert "is too large for this machine" in line


@pytest.mark.parametrize("benchmark", [experts, layer])
@pytest.mark.parametrize("device", ["tpu", "meta", "cuda:7", ""])
def test_unknown_devices_are_refused(
    benchmark: ModuleType, device: str, monkeypatch, capsys
) -> None:
    line = refused(benchmark, ["--device", device], monkeypatch, capsys)
    assert f"--device: {device!r}: must be cpu or cuda" in line


def test_a_gpu_that_is_not_there_is_refused(monkeypatch, capsys) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert "torch sees no GPU here" in refused(layer, ["--device", "cuda"], monkeypatch, capsys)


def test_a_benchmark_that_is_stopped_says_so(monkeypatch, capsys) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sys.argv", ["benchmark", "--rounds", "2"])
    monkeypatch.setattr(layer, "cases", stop)
    with pytest.raises(SystemExit) as stopped:
        layer.main()
    assert stopped.value.code == 130
    assert capsys.readouterr().err == "\nbenchmarks: stopped\n"


def test_quartiles_of_two_rounds_lie_between_them() -> None:
    found = ratios({"ours": [1.0, 9.0], "theirs": [1.0, 1.0]}, against="theirs")["ours"]
    assert found == {"ratio": 5.0, "low": 3.0, "high": 7.0}
