"""Everything that generic code asks of a model.

`model(batch)` returns an `Output`: logits prediction_BLV and the decisions of the mixtures in order
of depth, for a batch of `moebench.data.contract`. Every mixture holds its router in an attribute
`router`, which is how training finds it. A model may also have

| part | meaning | without it |
| --- | --- | --- |
| `causal` | bool, on the model or the part with the mixtures: no token sees later ones | false |
| `dense_twin(arguments)` | static: a `DenseTwin`, None without a mixture | it has no dense twin |
| `context` | the longest text it was made for, in tokens | any length |
| `reads_context` | bool: it has an encoder, and reads `context_BL` | it has none |
| all of `Caching` | text is generated with a KV cache | every new token rereads the whole text |
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

from torch import Tensor

from moebench.models.kv_cache import KVCache
from moebench.moe.decision import RoutingDecision

CONTRACT = "moebench/models/contract.py"  # named in error messages


class DenseTwin(NamedTuple):
    """A model without its mixtures, as a configuration writes it."""

    arguments: Callable[[int], dict[str, Any]]  # the model's, from the width F of dense blocks
    hidden: int  # the width to try first


def without_mixtures(arguments: Mapping[str, Any], *keys: str) -> DenseTwin | None:
    """Return the dense twin of a model that is dense once some arguments are None.

    It is None if they are all None already.

    Args:
        arguments: the model's, in a checked configuration; `shape.hidden` is the width.
        keys: names of the arguments that make mixtures.
    """
    mixtures = [key for key in keys if arguments.get(key)]

    def dense(hidden: int) -> dict[str, Any]:
        made = {**copy.deepcopy(dict(arguments)), **dict.fromkeys(mixtures)}
        made["shape"]["hidden"] = hidden
        return made

    return DenseTwin(dense, arguments["shape"]["hidden"]) if mixtures else None


@runtime_checkable
class Caching(Protocol):
    """A model that can generate text with a KV cache."""

    def kv_caches(self, max_length: int) -> list[KVCache]:
        """Return empty caches, one per layer, for a text of up to `max_length` tokens."""
        ...

    def read(
        self,
        input_BL: Tensor,
        caches: Sequence[KVCache] | None = None,
        mask_BS: Tensor | None = None,
    ) -> tuple[Tensor, list[RoutingDecision]]:
        """Return the hidden states x_BLD of tokens that follow the cached ones, and the decisions.

        Args:
            input_BL: ids of the tokens, which are added to the caches.
            caches: one per layer.
            mask_BS: which tokens are real, cached ones first; None if all are.
        """
        ...

    def score(self, x_BLD: Tensor) -> Tensor:
        """Return the next-token logits after each hidden state."""
        ...
