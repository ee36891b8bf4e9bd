"""Scores of the token after a text that grows, each token being read once where that is the same.

It is the same unless a router compares tokens: one with a capacity gives a token that comes alone
room that it might not have found in its text.
"""

from collections.abc import Callable, Sequence
from types import SimpleNamespace

import torch
from torch import Tensor, nn

from moebench.models.contract import Caching
from moebench.moe.layer import MoELayer
from moebench.moe.sees import Sees, sees

Reader = Callable[[Sequence[Sequence[int]]], Tensor]


def reader(network: nn.Module, room: int) -> Reader:
    """Return a function from the next ids of some texts to the logits_NV of the tokens after them.

    It is called with ids of every text, at first the prompts. A text that goes on no longer has
    none; N counts the texts that have some. A text is read as if it were the only one.

    A model with a cache, whose routers look at tokens one by one, reads each token once, all texts
    together; anything else reads each text by itself, whole, at every call.

    Args:
        network: the model, in evaluation mode.
        room: most tokens a text will have, counted from the beginning of the longest prompt.
    """
    if isinstance(network, Caching) and decides_alone(network):
        return _cached(network, room, next(network.parameters()).device)
    return _reread(network)


def decides_alone(network: nn.Module) -> bool:
    """Return whether, outside training, no token changes the experts of another.

    A router that does not say what it sees is taken to compare tokens.
    """
    return all(
        sees(layer.router, None, training=False) == Sees.TOKEN
        for layer in network.modules()
        if isinstance(layer, MoELayer)
    )


def _cached(network: Caching, room: int, device: torch.device) -> Reader:
    """Read with cache, texts of unequal length being padded on the left."""
    caches = network.kv_caches(room)
    mask_BS = torch.empty(0)  # on the CPU, where asking what it holds costs nothing

    def read(new: Sequence[Sequence[int]]) -> Tensor:
        nonlocal mask_BS
        length = max(map(len, new))
        ids_BL = torch.tensor([[0] * (length - len(ids)) + [*ids] for ids in new])
        mask_BL = torch.arange(length) >= torch.tensor([[length - len(ids)] for ids in new])
        mask_BS = torch.cat([mask_BS, mask_BL], dim=1) if mask_BS.numel() else mask_BL
        mask = None if mask_BS.all() else mask_BS.to(device)
        x_BLD, _ = network.read(ids_BL.to(device), caches, mask)
        last_BD = x_BLD[:, -1]
        return network.score(last_BD if all(new) else last_BD[[bool(ids) for ids in new]])

    return read


def _reread(network: nn.Module) -> Reader:
    """Read every text anew."""
    device = next(network.parameters()).device
    texts: list[list[int]] = []

    def read(new: Sequence[Sequence[int]]) -> Tensor:
        if not texts:
            texts.extend([] for _ in new)
        logits: list[Tensor] = []
        for text, ids in zip(texts, new, strict=True):
            text.extend(ids)
            if ids:
                input_BL = torch.tensor([text], device=device)
                output = network(SimpleNamespace(input_BL=input_BL, context_BL=None))
                logits.append(output.prediction[0, -1])
        return torch.stack(logits)

    return read
