"""Checkpoints against transformers: logits, gradients, and what we write is what it reads."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import transformers
from torch import Tensor, nn

from moebench.interop import from_pretrained, save_pretrained
from moebench.interop.architectures import ARCHITECTURES
from moebench.interop.stacked_experts import match_stored
from moebench.interop.tensors import INDEX, SINGLE, find
from moebench.models import RotaryDecoder
from moebench.models.sampling import Sampling, generate

from .checkpoints import CASES, assert_close

LIKELIEST = Sampling(temperature=0)
Small = Callable[..., nn.Module]


@pytest.fixture(scope="module", params=CASES)
def saved(
    request: pytest.FixtureRequest, small: Small, tmp_path_factory: pytest.TempPathFactory
) -> tuple[nn.Module, Path]:
    name, settings = CASES[request.param]
    model, folder = small(name, **settings), tmp_path_factory.mktemp("theirs")
    model.save_pretrained(folder)
    return model, folder


def ids() -> Tensor:
    return torch.randint(40, (3, 24), generator=torch.Generator().manual_seed(1))


def logits(model: RotaryDecoder) -> Tensor:
    return model(SimpleNamespace(input_BL=ids(), context_BL=None)).prediction


def test_logits_and_gradients(saved: tuple[nn.Module, Path]) -> None:
    theirs, folder = saved
    ours = from_pretrained(folder)
    expected = theirs(input_ids=ids()).logits
    found = logits(ours)
    assert (found - expected).abs().max() < 1e-5 * expected.abs().max().clamp(min=1)
    direction = torch.randn(expected.shape, generator=torch.Generator().manual_seed(2))
    (expected * direction).sum().backward()
    (found * direction).sum().backward()
    kind = ARCHITECTURES[theirs.config.model_type]
    mine = {name: parameter.grad for name, parameter in ours.named_parameters()}
    gradients = {name: parameter.grad for name, parameter in theirs.named_parameters()}
    compared = 0
    for piece in match_stored(list(kind.mappings(ours)), theirs.state_dict(), kind.in_memory):
        if piece.ours in mine:
            gradient = gradients[piece.theirs]
            assert gradient is not None, piece.theirs
            assert_close(piece.view(mine), gradient, 1e-4, piece.theirs)
            compared += gradient.numel()
    assert compared == sum(parameter.numel() for parameter in ours.parameters())


def test_the_likeliest_text_is_that_of_transformers(saved: tuple[nn.Module, Path]) -> None:
    theirs, folder = saved
    prompt = ids()[:1, :8]
    settings = transformers.GenerationConfig(max_new_tokens=12, do_sample=False, pad_token_id=0)
    written = theirs.generate(prompt, generation_config=settings)[0, 8:].tolist()
    assert list(generate(from_pretrained(folder), prompt[0].tolist(), 12, LIKELIEST)) == written


def test_what_we_write_transformers_reads(saved: tuple[nn.Module, Path], tmp_path: Path) -> None:
    """In many files, which is harder to read back than in one."""
    theirs, folder = saved
    save_pretrained(from_pretrained(folder), tmp_path / "ours", shard_bytes=4000)
    assert (tmp_path / "ours" / INDEX).exists()
    again, report = type(theirs).from_pretrained(tmp_path / "ours", output_loading_info=True)
    assert not any(report.values()), report
    expected = theirs(input_ids=ids()).logits
    torch.testing.assert_close(again.eval()(input_ids=ids()).logits, expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(
        logits(from_pretrained(tmp_path / "ours")), expected, atol=1e-5, rtol=1e-5
    )


def test_a_small_model_is_one_file(small: Small, tmp_path: Path) -> None:
    theirs = small("Mixtral")
    theirs.save_pretrained(tmp_path / "theirs")
    save_pretrained(from_pretrained(tmp_path / "theirs"), tmp_path / "ours")
    assert [path.name for path in (tmp_path / "ours").glob("*.safetensors")] == [SINGLE]
    again = type(theirs).from_pretrained(tmp_path / "ours").eval()
    torch.testing.assert_close(again(input_ids=ids()).logits, theirs(input_ids=ids()).logits)


def test_shards_of_transformers(small: Small, tmp_path: Path) -> None:
    theirs = small("Mixtral")
    theirs.save_pretrained(tmp_path, max_shard_size="4KB")
    assert len({place.file for place in find(tmp_path).values()}) > 3
    torch.testing.assert_close(
        logits(from_pretrained(tmp_path)), theirs(input_ids=ids()).logits, atol=1e-5, rtol=1e-5
    )
