"""Reads a checkpoint that was just written and compares it with the model."""

import logging
from pathlib import Path

import torch
from torch import Tensor

from moebench.interop.config import FILE
from moebench.interop.free_memory import free_bytes
from moebench.interop.loading import from_pretrained
from moebench.models.decoder import RotaryDecoder

TOKENS = 16
TOLERANCE = 1e-3  # share of the largest logit: transposed weights change the order of sums
COARSE = 0.1  # the same in 16 bits, for the median token: others may be routed differently
log = logging.getLogger(__name__)


@torch.no_grad()
def check_written(model: RotaryDecoder, folder: Path) -> None:
    """Raise ValueError unless a folder gives the same weights, and logits for a few tokens.

    Before raising, it deletes the folder's configuration, so that it is no longer a checkpoint.
    """
    device = model.embedding.weight.device
    needed = sum(tensor.numel() * tensor.element_size() for tensor in model.state_dict().values())
    free = free_bytes(device)
    if free is not None and free < 1.2 * needed:
        log.warning(
            "%s: not read back for a check, which takes %.3g GB of memory; %.3g GB are free",
            folder,
            1.2 * needed / 1e9,
            free / 1e9,
        )
        return
    again = from_pretrained(folder, device=str(device))
    read = again.state_dict()
    wrong = [name for name, t in model.state_dict().items() if not torch.equal(t, read[name])]
    fine = model.embedding.weight.element_size() > 2
    error = 0.0 if wrong else _error(logits(model), logits(again), fine)
    if wrong or not error <= 1:  # also true for NaN
        (folder / FILE).unlink()
        what = f"{wrong[0]} differs or is NaN" if wrong else "a few tokens get other logits"
        raise ValueError(f"{folder}: read back, {what}; it is not a checkpoint of this model")


def logits(model: RotaryDecoder) -> Tensor:
    """Return the logits of a few tokens in evaluation mode, in float32."""
    training = [module for module in model.modules() if module.training]
    length = min(TOKENS, model.positions.context)
    ids = torch.arange(length, device=model.embedding.weight.device)
    try:
        x_BLD, _ = model.eval().read(ids[None] % model.embedding.num_embeddings)
        return model.score(x_BLD)[0].float()
    finally:
        for module in training:
            module.training = True


def _error(ours_LV: Tensor, theirs_LV: Tensor, fine: bool) -> float:
    """Return the difference between logits, relative to the tolerance."""
    error_L = (ours_LV - theirs_LV).abs().amax(dim=1) / ours_LV.abs().max().clamp(min=1e-30)
    return float(error_L.max() / TOLERANCE if fine else error_L.median() / COARSE)
