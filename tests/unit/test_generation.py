"""Continuing text: what is drawn, with and without a cache, from a run and from a checkpoint."""

from functools import partial
from pathlib import Path

import pytest
import tokenizers
import torch
import transformers

from moebench.cli import main
from moebench.generation import Sampler, continuation, open_trained
from moebench.interop import save_pretrained
from moebench.models import Decoder, Mixtral
from moebench.models.blocks import Shape
from moebench.models.grouped_query import GroupedQueryAttention
from moebench.models.mixtral_2024 import DecoderShape
from moebench.moe.experts import SwiGLU
from moebench.moe.layer import Sparse
from moebench.moe.routers import TopK

LOGITS = torch.tensor([0.5, 0.3, 0.15, 0.05]).log()


def drawn(sampler: Sampler, count: int = 4000) -> list[float]:
    """Shares of the four tokens in many draws."""
    tokens = [sampler(LOGITS) for _ in range(count)]
    return [tokens.count(token) / count for token in range(4)]


def test_chances_are_those_of_the_logits() -> None:
    assert drawn(Sampler(seed=1)) == pytest.approx([0.5, 0.3, 0.15, 0.05], abs=0.03)


def test_a_temperature_sharpens() -> None:
    squares = [0.25, 0.09, 0.0225, 0.0025]
    expected = [square / sum(squares) for square in squares]
    assert drawn(Sampler(temperature=0.5)) == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize(
    ("top_p", "left"), [(0.5, [0]), (0.51, [0, 1]), (0.8, [0, 1]), (0.81, [0, 1, 2]), (1e-9, [0])]
)
def test_the_nucleus_is_the_smallest_that_comes_to_top_p(top_p: float, left: list[int]) -> None:
    shares = drawn(Sampler(top_p=top_p), 400)
    assert [token for token in range(4) if shares[token]] == left


def test_no_temperature_takes_the_likeliest_and_seeds_repeat() -> None:
    assert {Sampler(temperature=0, seed=seed)(LOGITS) for seed in range(5)} == {0}
    one, other = Sampler(seed=3), Sampler(seed=3)
    assert [one(LOGITS) for _ in range(20)] == [other(LOGITS) for _ in range(20)]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"temperature": -0.1}, "temperature=-0.1"),
        ({"temperature": float("nan")}, "temperature=nan"),
        ({"top_p": 0.0}, "top_p=0.0"),
        ({"top_p": 1.1}, "top_p=1.1"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_numbers_out_of_range_are_refused(arguments: dict[str, float], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Sampler(**arguments)


def decoder(vocabulary: int = 20) -> Mixtral:
    torch.manual_seed(0)
    sparse = Sparse(partial(TopK, num_experts=4, k=2), partial(SwiGLU, hidden=24), every=1)
    shape = DecoderShape(width=16, layers=2, heads=2, hidden=24)
    attention = partial(GroupedQueryAttention, kv_heads=1)
    return Mixtral(vocabulary, shape, sparse, attention=attention).eval()


def test_the_cache_changes_no_token() -> None:
    model = decoder()
    prompt = [3, 1, 4, 1, 5]
    with_cache = list(continuation(model, prompt, 12, Sampler(seed=2)))
    text = list(prompt)
    choose = Sampler(seed=2)
    for _ in range(12):
        x_BLD, _ = model.read(torch.tensor([text]))
        text.append(choose(model.score(x_BLD)[0, -1]))
    assert with_cache == text[5:]


def test_a_decoder_without_a_cache_continues_too() -> None:
    torch.manual_seed(0)
    model = Decoder(20, Shape(width=8, layers=1, heads=2, hidden=8)).eval()
    found = list(continuation(model, [3, 4], 6, Sampler(temperature=0)))
    assert len(found) == 6
    assert found == list(continuation(model, [3, 4], 6, Sampler(temperature=0, seed=9)))


def test_an_empty_prompt_is_refused() -> None:
    with pytest.raises(ValueError, match="prompt: has no token"):
        next(continuation(decoder(), [], 1, Sampler()))


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A small Mixtral of transformers with a tokenizer of bytes."""
    encoding = tokenizers.Tokenizer(tokenizers.models.BPE())
    encoding.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    encoding.decoder = tokenizers.decoders.ByteLevel()
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=300, initial_alphabet=alphabet, show_progress=False
    )
    encoding.train_from_iterator(["the cat sat on the mat"], trainer)
    torch.manual_seed(0)
    config = transformers.MixtralConfig(
        vocab_size=300,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        num_local_experts=4,
        max_position_embeddings=40,
        eos_token_id=299,
    )
    folder = tmp_path / "checkpoint"
    transformers.MixtralForCausalLM(config).save_pretrained(folder)
    encoding.save(str(folder / "tokenizer.json"))
    return folder


def test_greedy_text_is_that_of_transformers(checkpoint: Path) -> None:
    trained = open_trained(checkpoint)
    prompt = trained.encode("the cat")
    ours = list(continuation(trained.model, prompt, 20, Sampler(temperature=0)))
    theirs = transformers.MixtralForCausalLM.from_pretrained(checkpoint).generate(
        torch.tensor([prompt]), max_new_tokens=20, do_sample=False
    )
    assert ours == theirs[0, len(prompt) :].tolist()
    assert trained.decode(prompt) == "the cat"
    assert (trained.context, list(trained.ends)) == (40, [299])


def test_the_command_on_a_checkpoint(checkpoint: Path, capsys) -> None:
    arguments = ["generate", str(checkpoint), "--prompt", "the cat", "--tokens", "12"]
    assert main([*arguments, "--seed", "5", "--top-p", "0.9"]) == 0
    first = capsys.readouterr().out
    assert first.startswith("the cat")
    assert main([*arguments, "--seed", "5", "--top-p", "0.9"]) == 0
    assert capsys.readouterr().out == first


def test_the_command_on_a_run_that_kept_its_weights(
    tiny, small_text: Path, tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "tiny.yaml"
    config.write_text(tiny("switch_8.yaml").to_yaml())
    assert main(["fit", f"--config={config}"]) == 0
    [folder] = (tmp_path / "runs" / "fit" / "single").glob("*/seed_*")
    capsys.readouterr()
    assert main(["generate", str(folder), "--prompt", "def ", "--tokens", "5"]) == 0
    assert capsys.readouterr().out.startswith("def ")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--prompt", "the cat sat " * 30], "prompt: has"),
        (["--prompt", "the", "--tokens", "0"], "tokens=0"),
        (["--prompt", "the", "--temperature", "-1"], "temperature=-1.0"),
        (["--prompt", "", "--tokens", "3"], "prompt: has no token"),
    ],
)
def test_what_cannot_be_continued_is_one_line(
    arguments: list[str], why: str, checkpoint: Path, capsys
) -> None:
    assert main(["generate", str(checkpoint), *arguments]) == 2
    line = capsys.readouterr().err
    assert why in line
    assert line.count("\n") == 1


def test_folders_that_hold_no_model(tmp_path: Path, checkpoint: Path, capsys) -> None:
    assert main(["generate", str(tmp_path), "--prompt", "a"]) == 2
    assert "config.json: missing" in capsys.readouterr().err
    (tmp_path / "config.json").write_text("{}")
    assert main(["generate", str(tmp_path), "--prompt", "a"]) == 2
    assert "`moebench fit` keeps the weights" in capsys.readouterr().err
    (checkpoint / "tokenizer.json").unlink()
    assert main(["generate", str(checkpoint), "--prompt", "a"]) == 2
    assert "tokenizer.json: missing" in capsys.readouterr().err


def test_what_we_save_can_be_continued(checkpoint: Path, tmp_path: Path) -> None:
    save_pretrained(decoder(300), tmp_path / "ours")
    (tmp_path / "ours" / "tokenizer.json").write_bytes((checkpoint / "tokenizer.json").read_bytes())
    trained = open_trained(tmp_path / "ours")
    assert len(list(continuation(trained.model, trained.encode("a"), 3, Sampler()))) == 3
