"""What code that knows no model asks of one, in full.

`model(batch)` returns an `Output`: logits prediction_BLV and the decisions of the mixtures in order
of depth, for a batch of `moebench.data.contract`. The router of every mixture is called `router`
where it lies, so that it is found. A model may also have

| part | meaning | without it |
| --- | --- | --- |
| `causal` | bool, also of the part that holds the mixtures: no token sees later ones | is not |
| `dense_twin(arguments)` | static: a `DenseTwin`, None without a mixture | it has no dense twin |
| `context` | most tokens of a text that it was made for | any number |
| `reads_context` | bool: it has an encoder, and reads `context_BL` | it has none |
| all of `Caching` | text is generated with a KV cache | each token reads the whole text anew |
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

from torch import Tensor

from moebench.models.kv_cache import KVCache
from moebench.moe.decision import RoutingDecision

PLACE = "moebench/models/contract.py"  # where messages send people


class DenseTwin(NamedTuple):
    """A model without its mixtures, as a configuration writes it."""

    arguments: Callable[[int], dict[str, Any]]  # of the model, from the width F of dense blocks
    hidden: int  # a width to try first


def without_mixtures(arguments: Mapping[str, Any], *keys: str) -> DenseTwin | None:
    """Return the twin of a model whose blocks are dense without some arguments; None without any.

    Args:
        arguments: of the model, in a checked configuration; `shape.hidden` is the width.
        keys: of the arguments that make mixtures.
    """
    mixtures = [key for key in keys if arguments.get(key)]

    def dense(hidden: int) -> dict[str, Any]:
        made = {**copy.deepcopy(dict(arguments)), **dict.fromkeys(mixtures)}
        made["shape"]["hidden"] = hidden
        return made

    return DenseTwin(dense, arguments["shape"]["hidden"]) if mixtures else None


@runtime_checkable
class Caching(Protocol):
    """A model that can read each token of a text once."""

    def kv_caches(self, room: int) -> list[KVCache]:
        """Return empty caches, one a layer, for a text of up to so many tokens."""
        ...

    def read(
        self,
        input_BL: Tensor,
        caches: Sequence[KVCache] | None = None,
        mask_BS: Tensor | None = None,
    ) -> tuple[Tensor, list[RoutingDecision]]:
        """Return x_BLD of tokens that follow those of the caches, and the decisions.

        Args:
            input_BL: ids of the tokens, which are added to the caches.
            caches: one a layer.
            mask_BS: which tokens are real, those of the caches and then these; None: all are.
        """
        ...

    def score(self, x_BLD: Tensor) -> Tensor:
        """Return the logits of the token after each."""
        ...
