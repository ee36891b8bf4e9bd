"""What somebody else's parts answer with, held against what such a part promises."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from torch import Tensor, nn

from moebench.experiment import ConfigurationError, keys_of_theirs
from moebench.moe.decision import RoutingDecision

Promise = Callable[[Any, Any], str]  # first argument, answer -> what is wrong; empty: nothing


@contextmanager
def promises_kept(model: nn.Module, config: Any) -> Iterator[None]:
    """Within it, a part of somebody else's whose answer nothing can be done with is refused.

    Args:
        model: made of the configuration.
        config: of an experiment.

    Raises:
        ConfigurationError: naming key, class, what it answered with and what it promises.
    """
    keys = keys_of_theirs(config)
    with ExitStack() as hooks:
        for module in model.modules():
            key = keys.get(type(module), "")
            if promise := PROMISES.get(key.rpartition(".")[2]):
                hook = partial(_held, key, promise)
                hooks.enter_context(module.register_forward_hook(hook))
        yield


def _held(key: str, promise: Promise, part: nn.Module, given: Any, answer: Any) -> None:
    """Refuse an answer that breaks a promise; a hook of torch's."""
    if wrong := promise(given[0], answer):
        raise ConfigurationError(
            f"{key}={type(part).__module__}.{type(part).__qualname__}: {wrong}"
        )


def _prediction(batch: Any, answer: Any) -> str:
    """Say what is wrong with the answer of a model."""
    alike = hasattr(answer, "prediction") and hasattr(answer, "decisions")
    return "" if alike else f"answers with {_kind(answer)}; must be an Output"


def _decision(x_TD: Tensor, answer: Any) -> str:
    """Say what is wrong with the answer of a router."""
    if not isinstance(answer, RoutingDecision):
        return f"answers with {_kind(answer)}; must be a RoutingDecision"
    many = f"decides on {answer.num_tokens} tokens; must be the {len(x_TD)} that it is given"
    return "" if answer.num_tokens == len(x_TD) else many


def _rows(x_RD: Tensor, answer: Any) -> str:
    """Say what is wrong with the answer of experts, shared ones too."""
    alike = isinstance(answer, Tensor) and answer.shape == x_RD.shape
    must = f"a Tensor of the shape {tuple(x_RD.shape)}, as it is given"
    return "" if alike else f"answers with {_kind(answer)}; must be {must}"


def _kind(answer: Any) -> str:
    """Return the type of an answer, and the shape of a Tensor."""
    name = type(answer).__name__
    return f"a {name} of the shape {tuple(answer.shape)}" if isinstance(answer, Tensor) else name


PROMISES: Mapping[str, Promise] = {  # by the last word of the key
    "network": _prediction,
    "router": _decision,
    "experts": _rows,
    "shared": _rows,
}
