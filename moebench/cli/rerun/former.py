"""The configuration of a record that was made when classes had other names, or fewer keys."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from moebench.experiment import Experiment

MOVED = {  # module or class of moebench -> its name in older records
    "moebench.models.RotaryDecoder": "moebench.models.Mixtral",
    "moebench.models.lstm": "moebench.models.lstm_moe_2017",
    "moebench.moe.capacity.overflow": "moebench.moe.overflow",
    "moebench.moe.routers.AllExperts": "moebench.moe.routers.Everyone",
}
ADDED = {  # key that older records lack -> the value that does what was done without it
    "model.router_rate": 1.0,
    "model.cooldown_steps": 0,
    "data.init_args.world.init_args.skew": 0.0,
    "model.network.init_args.shape.multipliers": {"embedding": 1.0, "residual": 1.0, "logits": 1.0},
    "model.network.init_args.attention.init_args.comparison": {"turned": None, "scale": None},
}


def hashes_of(experiment: Experiment, moved: Mapping[str, str]) -> dict[str, Sequence[str]]:
    """Return hash -> keys it was made without, for all that an experiment has or may have had.

    A record may be younger than one change and older than another, so each may count.

    Args:
        experiment: an experiment with today's names and keys.
        moved: module of its paper, or package -> its former name.
    """
    texts = {json.dumps(config): lacking for config, lacking in _before_keys(experiment.config)}
    for now, then in {**MOVED, **moved}.items():
        texts |= {_renamed(text, now, then): lacking for text, lacking in texts.items()}
    return {_hash(experiment, text): lacking for text, lacking in texts.items()}


def but_for(lacking: Sequence[str]) -> str:
    """Say which keys a configuration was made without; empty for none."""
    ending = "was added later and changes" if len(lacking) == 1 else "were added later and change"
    return f", but for {', '.join(lacking)}, which {ending} nothing" if lacking else ""


def with_losses(twin: Experiment, base: Experiment) -> Experiment:
    """Return a dense twin as it was made while it kept the losses on routing, to no effect."""
    model = {**twin.config["model"], "losses": base.config["model"].get("losses")}
    return replace(twin, config={**twin.config, "model": model})


def former_hash(experiment: Experiment, moved: Mapping[str, str]) -> str:
    """Return the hash that an experiment had under all of some former names.

    Args:
        experiment: an experiment with today's names.
        moved: module, package or class -> its former name.
    """
    text = json.dumps(dict(experiment.config))
    for now, then in moved.items():
        text = _renamed(text, now, then)
    return _hash(experiment, text)


def _before_keys(config: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], Sequence[str]]]:
    """Yield the configuration, and what it was without some of the keys added since."""
    found: list[tuple[dict[str, Any], Sequence[str]]] = [(dict(config), ())]
    for key, value in ADDED.items():
        found += [
            (shorter, (*lacking, key))
            for one, lacking in found
            if (shorter := _without(one, key.split("."), value)) is not None
        ]
    yield from found


def _without(
    config: Mapping[str, Any], path: Sequence[str], value: object
) -> dict[str, Any] | None:
    """Return a configuration without a key; None unless it has that value there."""
    name, *inner = path
    if not inner:
        same = name in config and config[name] == value
        return {key: kept for key, kept in config.items() if key != name} if same else None
    below = config.get(name)
    shorter = _without(below, inner, value) if isinstance(below, Mapping) else None
    return None if shorter is None else {**config, name: shorter}


def _renamed(text: str, now: str, then: str) -> str:
    """Return a configuration in JSON with one name replaced, also as a prefix of others."""
    return text.replace(f'"{now}.', f'"{then}.').replace(f'"{now}"', f'"{then}"')


def _hash(experiment: Experiment, text: str) -> str:
    """Return the hash of an experiment with another configuration, given in JSON."""
    return replace(experiment, config=json.loads(text)).hash
