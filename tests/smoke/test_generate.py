"""`moebench generate` from a run and from a checkpoint, and what it refuses."""

from dataclasses import replace
from pathlib import Path

import pytest

import moebench
from moebench.cli.generate import fitted
from moebench.cli.main import main
from moebench.interop.trained import open_model
from moebench.run.job import Job
from moebench.run.worker import execute


def write(folder: Path, *more: str) -> int:
    return main(["generate", str(folder), "--prompt", "the dog", *more])


def test_a_checkpoint_writes(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert write(checkpoint, "--tokens", "4", "--seed", "3") == 0
    first = capsys.readouterr().out
    assert first.startswith("the dog")
    assert len(first) > len("the dog\n")
    assert write(checkpoint, "--tokens", "4", "--seed", "3") == 0
    assert capsys.readouterr().out == first


def test_several_prompts_go_on_as_each_does_alone(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prompts, texts = ["the dog", "a", "the dog sees the"], []
    for prompt in prompts:
        assert main(["generate", str(checkpoint), "--prompt", prompt, "--tokens", "6"]) == 0
        texts.append(capsys.readouterr().out)
    more = [part for prompt in prompts[1:] for part in ("--prompt", prompt)]
    assert write(checkpoint, *more, "--tokens", "6") == 0
    assert capsys.readouterr().out == "\n".join(texts)


def test_from_python_it_writes_the_same(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert write(checkpoint, "--tokens", "3") == 0
    printed = capsys.readouterr().out
    model = moebench.open_model(str(checkpoint))
    assert printed == model.write("the dog", 3) + "\n"
    with pytest.raises(ValueError, match=r"^top_p=2: "):
        model.write("the dog", top_p=2)


def test_a_full_context_ends_the_text(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert write(checkpoint, "--tokens", "50") == 0
    assert "the context of 16 tokens is full" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--prompt", "dog " * 20], "prompt: has "),
        (["--tokens", "0"], "tokens=0: must be at least 1"),
        (["--temperature", "-1"], "temperature=-1.0"),
        (["--top-p", "2"], "top_p=2.0"),
        (["--dtype", "int3"], "dtype=int3: unknown"),
        (["--prompt", ""], "prompt: is empty"),
    ],
)
def test_what_is_refused(
    checkpoint: Path, more: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert write(checkpoint, *more) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1
    assert words in error[0]


def test_a_tokenizer_of_another_model_is_refused(checkpoint: Path) -> None:
    model = replace(open_model(checkpoint), vocabulary=2)
    with pytest.raises(ValueError, match=r"the tokenizer gives token \d+, and the model has 2;"):
        fitted(model, "the dog", 3)


def test_folders_without_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert write(tmp_path) == 2
    assert "neither a run nor a checkpoint" in capsys.readouterr().err
    (tmp_path / "config.json").write_text("{}")
    assert write(tmp_path) == 2
    assert "neither a model_type nor the keys of a run" in capsys.readouterr().err


@pytest.mark.parametrize("model", ["mixtral", "switch"])
def test_a_run_writes(
    model: str, tiny: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from moebench.cli.fit import fit
    from moebench.cli.fit_options import FitOptions

    config = {"mixtral": "mixtral_8.yaml", "switch": "switch_8.yaml"}
    path = Path(__file__).parents[1] / "configs" / "tiny_2026" / config[model]
    settings = [
        f"--{key}={value}"
        for key, value in tiny.settings().items()
        if key != "data.init_args.source"
    ]
    settings.append(f"--data.init_args.source={tiny.source}")
    assert fit(FitOptions([f"--config={path}", *settings], root=tmp_path)) == 0
    capsys.readouterr()
    [record] = tmp_path.rglob("record.json")
    assert write(record.parent, "--tokens", "5") == 0
    assert capsys.readouterr().out.startswith("the dog")
    assert write(record.parent, "--prompt", "a b c d e f " * 30) == 2
    assert "context of 32" in capsys.readouterr().err
    assert write(record.parent, "--dtype", "bfloat16") == 2
    assert "dtype=bfloat16: the weights of a run are float32" in capsys.readouterr().err
    weights = record.parent / "last.ckpt"
    weights.write_bytes(weights.read_bytes()[:-99])
    assert write(record.parent) == 2
    assert f"{weights}: damaged, or not of the run" in capsys.readouterr().err
    weights.unlink()
    assert write(record.parent) == 2
    assert "`moebench fit` keeps those" in capsys.readouterr().err


def test_what_does_not_only_decode_is_refused(tiny: object, tmp_path: Path) -> None:
    experiment = tiny(
        "encoder_decoder.yaml", {"trainer.max_steps": 2, "trainer.val_check_interval": 1}
    )
    job = Job("target", "profile", "t5", 0, experiment, tmp_path / "run", keep_weights=True)
    assert execute(job, []).status == "finished"
    with pytest.raises(ValueError, match="has an encoder"):
        open_model(job.folder)
