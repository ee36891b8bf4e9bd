"""Padded batches against transformers: logits, gradients, balance loss, and what is written."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import transformers
from torch import Tensor, nn

from moebench.interop import from_pretrained
from moebench.models.sampling import Sampling, generate_batch
from moebench.moe.losses import LoadBalance

V, B, L = 40, 3, 14
CASES = {
    "mixtral": ("Mixtral", {}),
    "mixtral, window": ("Mixtral", {"sliding_window": 5}),
    "deepseek": ("DeepseekV3", {"q_lora_rank": 10, "n_group": 4, "topk_group": 2}),
}
MASKS = {
    "left": torch.arange(L) >= torch.tensor([[0], [4], [9]]),
    "right": torch.arange(L) < torch.tensor([[14], [9], [3]]),
}


def ids() -> Tensor:
    return torch.randint(V, (B, L), generator=torch.Generator().manual_seed(1))


def as_they_want(mask_BL: Tensor) -> dict[str, Tensor]:
    """The mask, and the positions that `generate` of transformers gives to padded rows."""
    mask = mask_BL.long()
    return {"attention_mask": mask, "position_ids": (mask.cumsum(-1) - 1).clamp(min=0)}


@pytest.mark.parametrize("side", MASKS)
@pytest.mark.parametrize("case", CASES)
def test_real_tokens_get_the_logits_and_gradients_of_transformers(
    small: Callable[..., nn.Module], case: str, side: str, tmp_path: Path
) -> None:
    theirs, mask_BL = small(CASES[case][0], **CASES[case][1]), MASKS[side]
    theirs.save_pretrained(tmp_path)
    ours = from_pretrained(tmp_path)
    expected = theirs(input_ids=ids(), **as_they_want(mask_BL)).logits[mask_BL]
    batch = SimpleNamespace(input_BL=ids(), context_BL=None, mask_BL=mask_BL)
    found = ours(batch).prediction[mask_BL]
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    direction = torch.randn(expected.shape, generator=torch.Generator().manual_seed(2))
    (expected * direction).sum().backward()
    (found * direction).sum().backward()
    for mine, name in ((ours.embedding, "embed_tokens"), (ours.norm, "norm")):
        gradient = theirs.get_parameter(f"model.{name}.weight").grad
        assert gradient is not None
        torch.testing.assert_close(mine.weight.grad, gradient, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("side", MASKS)
def test_the_balance_loss_of_a_padded_batch_is_that_of_transformers(
    small: Callable[..., nn.Module], side: str, tmp_path: Path
) -> None:
    """Theirs counts the k = 2 choices of a token as two, where ours counts shares."""
    theirs, mask_BL = small("Mixtral", num_hidden_layers=1), MASKS[side]
    theirs.save_pretrained(tmp_path)
    told = as_they_want(mask_BL)
    expected = theirs(input_ids=ids(), **told, output_router_logits=True).aux_loss
    batch = SimpleNamespace(input_BL=ids(), context_BL=None, mask_BL=mask_BL)
    [decision] = from_pretrained(tmp_path)(batch).decisions
    torch.testing.assert_close(2 * LoadBalance()(decision), expected)


@pytest.mark.parametrize("case", CASES)
def test_unequal_prompts_continue_as_with_transformers(
    small: Callable[..., nn.Module], case: str, tmp_path: Path
) -> None:
    theirs, mask_BL = small(CASES[case][0], **CASES[case][1]), MASKS["left"]
    theirs.save_pretrained(tmp_path)
    settings = transformers.GenerationConfig(max_new_tokens=10, do_sample=False, pad_token_id=0)
    expected = theirs.generate(ids(), attention_mask=mask_BL.long(), generation_config=settings)[
        :, L:
    ]
    prompts = [ids()[row, real_L].tolist() for row, real_L in enumerate(mask_BL)]
    steps = generate_batch(from_pretrained(tmp_path), prompts, [10] * B, Sampling(temperature=0))
    assert torch.tensor(list(steps)).T.tolist() == expected.tolist()
