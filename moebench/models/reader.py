"""Next-token logits of texts that grow, with a KV cache where that gives the same result.

It does unless a router compares tokens: a router with a capacity accepts a token that comes alone,
but might have dropped it within its text.
"""

from collections.abc import Callable, Sequence
from types import SimpleNamespace

import torch
from torch import Tensor, nn

from moebench.models.contract import Caching
from moebench.moe.layer import MoELayer
from moebench.moe.sees import Sees, sees

Reader = Callable[[Sequence[Sequence[int]]], Tensor]


def reader(network: nn.Module, max_length: int) -> Reader:
    """Return a function from the next ids of some texts to the logits_NV of the tokens after them.

    Call it with ids for every text, first the prompts. A text that has ended gets no ids; N counts
    the texts that get some. Texts do not affect one another.

    A model with a cache, whose routers decide token by token, reads each token once, all texts in
    one batch; any other model rereads each whole text, one at a time, at every call.

    Args:
        network: the model, in evaluation mode.
        max_length: most tokens a text will have, counted from the start of the longest prompt.
    """
    if isinstance(network, Caching) and decides_alone(network):
        return _cached(network, max_length, next(network.parameters()).device)
    return _reread(network)


def decides_alone(network: nn.Module) -> bool:
    """Return whether, outside training, no token changes the experts of another.

    A router that does not declare what it sees counts as one that compares tokens.
    """
    return all(
        sees(layer.router, None, training=False) == Sees.TOKEN
        for layer in network.modules()
        if isinstance(layer, MoELayer)
    )


def _cached(network: Caching, max_length: int, device: torch.device) -> Reader:
    """Return a reader with a cache, which pads shorter texts on the left."""
    caches = network.kv_caches(max_length)
    mask_BS = torch.empty(0)  # on the CPU, where reading its values is free

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
    """Return a reader that rereads every text."""
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
