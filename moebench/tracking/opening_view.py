"""The view with which MLflow opens the list of runs, kept in tags of the experiment.

MLflow's pages have saved views: each is a tag, which anybody may set through its client. This one
leaves out the parents, has the columns by which arms are compared, and the curves of the validation
loss above all other charts. What a person chooses in the browser is kept there and stays as it is.

No tag makes a view the one of a plain visit: without its name in the address the page begins with
what the browser kept of an earlier visit, or else with MLflow's own columns. So `moebench mlflow`
prints the address of the view, and the page offers it by name beside its title.

Source: savedViewEnvelope.ts and ExperimentPageUIState.tsx of MLflow 3.17.
"""

import json
from collections.abc import Mapping
from typing import Any

VIEW = "moebench"  # in the address of the page
_CREATED = 1_767_225_600_000  # milliseconds; pages sort views by it
_SECTION = "moebench-losses"
_TAGS = ("target", "profile", "arm", "seed", "matched_on", "moebench.state")
_LOSS = "final/valid/loss"
_METRICS = (
    *("cost/flops_per_token", "cost/params_total", "cost/params_active"),
    *("cost/tokens_per_second", "cost/seconds", "final/route/dropped"),
)


def experiment_tags() -> dict[str, str]:
    """Return the tags of the experiment: its kind, its first metric, and the view."""
    view = {"name": "Runs, and their validation loss", "createdAt": _CREATED}
    return {
        "mlflow.experimentKind": "custom_model_development",
        "mlflow.experiment.primaryMetric.name": "valid/loss",
        "mlflow.experiment.primaryMetric.greaterIsBetter": "False",
        f"mlflow.sharedViewState.{VIEW}": json.dumps({**view, "state": json.dumps(_state())}),
    }


def _state() -> Mapping[str, Any]:
    """Return what the page shows: which runs, which columns, which charts first."""
    columns = [  # the loss first: others may lie beyond the edge of a window
        f"metrics.`{_LOSS}`",
        *(f"tags.`{name}`" for name in _TAGS),
        *(f"metrics.`{name}`" for name in _METRICS),
        "attributes.`Dataset`",
    ]
    return {
        "searchFilter": "tags.`moebench.kind` = 'run'",
        "orderByKey": f"metrics.`{_LOSS}`",  # by date, runs are folded into their parents
        "orderByAsc": True,
        "selectedColumns": columns,
        "columnOrder": columns,
        "compareRunSections": [_section(_SECTION, "Validation loss")],
        "compareRunCharts": [_curves("step"), _curves("time-relative")],
        "isAccordionReordered": True,  # else the sections are sorted by name
    }


def _section(number: str, name: str) -> Mapping[str, Any]:
    """Return a section of charts."""
    shown = {"display": True, "deleted": False}
    return {"uuid": number, "name": name, **shown, "isReordered": True, "isGenerated": False}


def _curves(axis: str) -> Mapping[str, Any]:
    """Return the curves of the validation loss over steps, or over time."""
    return {
        "type": "LINE",
        "uuid": f"{_SECTION}-{axis}",
        "metricSectionId": _SECTION,
        "metricKey": "valid/loss",
        "selectedMetricKeys": ["valid/loss"],
        "xAxisKey": axis,
        "useGlobalXaxisKey": False,
        "runsCountToCompare": 20,
        "deleted": False,
        "isGenerated": False,
    }
