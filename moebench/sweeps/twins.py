"""The dense twins of a search, each solved for only once: a time measured twice would differ."""

from typing import NamedTuple

import optuna

from moebench.experiment import Experiment
from moebench.experiment.dense_twin import twin
from moebench.papers.plan import MATCHED_COST, MatchedOn


class Solved(NamedTuple):
    """What a study stores about a dense twin."""

    width: int  # hidden features of its dense blocks
    planned: dict[str, float]  # matched cost -> the mixture's value, as in a record


def solved(study: optuna.Study, experiment: Experiment, matched_on: MatchedOn) -> Solved:
    """Return the dense twin of an experiment, from the study if it was solved for before.

    Raises:
        ValueError: if the experiment has no mixture.
    """
    name, cost = f"{matched_on}/{experiment.hash}", MATCHED_COST[matched_on]
    width = study.user_attrs.get(f"width/{name}")
    planned = study.user_attrs.get(f"planned/{name}")  # older studies have only the width
    if width is not None:
        return Solved(int(width), {} if planned is None else {cost: float(planned)})
    made = twin(experiment, matched_on)
    study.set_user_attr(f"planned/{name}", made.planned[cost])
    study.set_user_attr(f"width/{name}", made.width)
    return Solved(made.width, dict(made.planned))
