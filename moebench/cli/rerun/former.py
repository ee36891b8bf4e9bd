"""The configuration of a record whose classes lay elsewhere when it was made."""

import json
from collections.abc import Mapping
from dataclasses import replace

from moebench.experiment import Experiment


def former_hash(experiment: Experiment, moved: Mapping[str, str]) -> str:
    """Return the hash that an experiment had before modules moved, whose names it counts.

    Args:
        experiment: of today.
        moved: module, or package -> its name of then.
    """
    text = json.dumps(dict(experiment.config))
    for now, then in moved.items():
        text = text.replace(f'"{now}.', f'"{then}.')
    return replace(experiment, config=json.loads(text)).hash
