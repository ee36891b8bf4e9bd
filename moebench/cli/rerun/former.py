"""The configuration of a record whose classes had other names when it was made."""

import json
from collections.abc import Mapping
from dataclasses import replace

from moebench.experiment import Experiment

MOVED = {  # module or class of moebench -> its name in older records
    "moebench.models.RotaryDecoder": "moebench.models.Mixtral",
    "moebench.models.lstm": "moebench.models.lstm_moe_2017",
    "moebench.moe.capacity.overflow": "moebench.moe.overflow",
    "moebench.moe.routers.AllExperts": "moebench.moe.routers.Everyone",
}


def hashes_of(experiment: Experiment, moved: Mapping[str, str]) -> set[str]:
    """Return the hashes that an experiment has, or had under former names.

    A record may be younger than one change of names and older than another, so each may count.

    Args:
        experiment: an experiment with today's names.
        moved: module of its paper, or package -> its former name.
    """
    texts = {json.dumps(dict(experiment.config))}
    for now, then in {**MOVED, **moved}.items():
        texts |= {_renamed(text, now, then) for text in texts}
    return {_hash(experiment, text) for text in texts}


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


def _renamed(text: str, now: str, then: str) -> str:
    """Return a configuration in JSON with one name replaced, also as a prefix of others."""
    return text.replace(f'"{now}.', f'"{then}.').replace(f'"{now}"', f'"{then}"')


def _hash(experiment: Experiment, text: str) -> str:
    """Return the hash of an experiment with another configuration, given in JSON."""
    return replace(experiment, config=json.loads(text)).hash
