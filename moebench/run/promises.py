"""What somebody else's parts answer with, held against what such a part promises."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from moebench.data import contract as data_contract
from moebench.experiment import ConfigurationError, user_part_keys
from moebench.models import contract as models_contract
from moebench.moe import contract as moe_contract
from moebench.moe.decision import RoutingDecision
from moebench.moe.losses import WeightedLosses

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
    keys = user_part_keys(config)
    with ExitStack() as hooks:
        for module in _parts(model):
            key = keys.get(type(module), "")
            if promise := PROMISES.get(key.rpartition(".")[2]):
                if type(module).forward is nn.Module.forward:
                    raise _broken(key, module, "has no forward")
                hook = partial(_held, key, promise)
                hooks.enter_context(module.register_forward_hook(hook))
        yield


@contextmanager
def ids_in_vocabulary(network: nn.Module, data: Any) -> Iterator[None]:
    """Within it, a batch of tokens with an id outside the vocabulary of its data is refused.

    An embedding would only say that an index is out of range, and on a GPU end the process.

    Args:
        network: reads the batches.
        data: a data module; one without a vocabulary has no ids.

    Raises:
        ConfigurationError: naming data, field, the ids it holds and those it may hold.
    """

    def look(_: nn.Module, given: tuple[Any, ...]) -> None:
        if (vocabulary := getattr(data, "vocabulary", None)) is None:
            return
        for name in data_contract.OF_BATCH:
            ids_BL = getattr(given[0], name, None)
            if not isinstance(ids_BL, Tensor):
                continue
            if name == "target_BL":
                ids_BL = ids_BL[ids_BL != data_contract.UNSCORED]
            if ((ids_BL < 0) | (ids_BL >= vocabulary)).any():
                low, high = int(ids_BL.min()), int(ids_BL.max())
                raise ConfigurationError(
                    f"data={type(data).__name__}: {name} of a batch has ids of {low} to {high}; "
                    f"must be from 0 to {vocabulary - 1}, see {data_contract.CONTRACT}"
                )

    with network.register_forward_pre_hook(look):
        yield


def _parts(model: nn.Module) -> Iterator[nn.Module]:
    """Yield the modules of a model, and its losses, which are none of them."""
    yield from model.modules()
    losses = getattr(model, "losses", None)
    if isinstance(losses, WeightedLosses):
        yield from (term.loss for term in losses.terms)


def _held(key: str, promise: Promise, part: nn.Module, given: Any, answer: Any) -> None:
    """Refuse an answer that breaks a promise; a hook of torch's."""
    if wrong := promise(given[0], answer):
        raise _broken(key, part, wrong)


def _broken(key: str, part: nn.Module, wrong: str) -> ConfigurationError:
    """Return the error that names a part, what is wrong with it, and where its promise is."""
    contract = models_contract if key == "model.network" else moe_contract
    name = f"{type(part).__module__}.{type(part).__qualname__}"
    return ConfigurationError(f"{key}={name}: {wrong}, see {contract.CONTRACT}")


def _prediction(_: Any, answer: Any) -> str:
    """Say what is wrong with the answer of a model."""
    predicts = isinstance(getattr(answer, "prediction", None), Tensor)
    if not (predicts and hasattr(answer, "decisions")):
        return f"answers with {_kind(answer)}; must be an Output"
    return "" if _finite(answer.prediction) else "predicts numbers that are not finite"


def _decision(x_TD: Tensor, answer: Any) -> str:
    """Say what is wrong with the answer of a router."""
    if not isinstance(answer, RoutingDecision):
        return f"answers with {_kind(answer)}; must be a RoutingDecision"
    if answer.num_tokens != len(x_TD):
        many = f"decides on {answer.num_tokens} tokens"
        return f"{many}; must be the {len(x_TD)} that it is given"
    for name, rows_A, number in (
        ("expert_A", answer.expert_A, answer.num_experts),
        ("token_A", answer.token_A, answer.num_tokens),
    ):
        if ((rows_A < 0) | (rows_A >= number)).any():
            low, high = int(rows_A.min()), int(rows_A.max())
            return f"decides on a {name} of {low} to {high}; must be from 0 to {number - 1}"
    spoilt = _finite(x_TD) and not _finite(answer.weight_A)
    return "decides on weights that are not finite" if spoilt else ""


def _rows(x_RD: Tensor, answer: Any) -> str:
    """Say what is wrong with the answer of experts, shared ones too."""
    if not (isinstance(answer, Tensor) and answer.shape == x_RD.shape):
        must = f"a Tensor of the shape {tuple(x_RD.shape)}, as it is given"
        return f"answers with {_kind(answer)}; must be {must}"
    spoilt = _finite(x_RD) and not _finite(answer)
    return "answers with numbers that are not finite" if spoilt else ""


def _tokens(x_TD: Tensor, answer: Any) -> str:
    """Say what is wrong with the answer of a dispatcher."""
    if wrong := _rows(x_TD, answer):
        return wrong
    other = f"answers in {answer.dtype}; must be {x_TD.dtype}, as it is given"
    return "" if answer.dtype == x_TD.dtype else other


def _scalar(decision: RoutingDecision, answer: Any) -> str:
    """Say what is wrong with the answer of a loss on decisions."""
    if not (isinstance(answer, Tensor) and answer.shape == ()):
        return f"answers with {_kind(answer)}; must be a Tensor of the shape (), one number"
    spoilt = _finite(decision.probs_TE) and not _finite(answer)
    return f"answers with {answer.item()}; must be a finite number" if spoilt else ""


def _finite(values: Tensor) -> bool:
    return bool(torch.isfinite(values).all())


def _kind(answer: Any) -> str:
    """Return the type of an answer, and the shape of a Tensor."""
    name = type(answer).__name__
    return f"a {name} of the shape {tuple(answer.shape)}" if isinstance(answer, Tensor) else name


PROMISES: Mapping[str, Promise] = {  # by the last word of the key
    "network": _prediction,
    "router": _decision,
    "experts": _rows,
    "shared": _rows,
    "dispatcher": _tokens,
    "loss": _scalar,
}
