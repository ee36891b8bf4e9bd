"""The configuration of a record whose classes lay elsewhere when it was made."""

import json
from collections.abc import Mapping
from dataclasses import replace

from moebench.experiment import Experiment

MOVED = {  # module or class of moebench -> its name in the oldest records
    "moebench.models.lstm": "moebench.models.lstm_moe_2017",
    "moebench.moe.capacity.overflow": "moebench.moe.overflow",
    "moebench.moe.routers.AllExperts": "moebench.moe.routers.Everyone",
}


def hashes_of(experiment: Experiment, moved: Mapping[str, str]) -> set[str]:
    """Return the hashes that an experiment has, or had before modules moved.

    Args:
        experiment: of today.
        moved: module of its paper, or package -> its name of then.
    """
    return {experiment.hash, former_hash(experiment, {**MOVED, **moved})}


def former_hash(experiment: Experiment, moved: Mapping[str, str]) -> str:
    """Return the hash that an experiment had before modules moved, whose names it counts.

    Args:
        experiment: of today.
        moved: module, package or class -> its name of then.
    """
    text = json.dumps(dict(experiment.config))
    for now, then in moved.items():
        text = text.replace(f'"{now}.', f'"{then}.').replace(f'"{now}"', f'"{then}"')
    return replace(experiment, config=json.loads(text)).hash
