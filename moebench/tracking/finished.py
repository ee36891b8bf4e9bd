"""What MLflow has of finished runs.

A database is queried directly, a server through the client; a test checks that both agree. Of the
runs by which a search chose, of which there can be very many, only the tags in HEAD are read: no
claim is judged by them.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from moebench.evidence.record import chooses
from moebench.tracking.store import having

CURVE = "valid/loss"
DONE = "moebench.record"  # the tag of a complete run
HEAD = ("target", "profile", "arm", "seed", "moebench.state")


class Parts(NamedTuple):
    """A run as MLflow has it."""

    began: float  # unix seconds
    tags: Mapping[str, str]
    parameters: Mapping[str, str] = {}
    metrics: Mapping[str, float] = {}  # the last values
    curve: Mapping[int, float] = {}  # step -> validation loss


def of_server(client: Any, experiment: str, required: Mapping[str, str]) -> Iterator[Parts]:
    """Yield the runs of an experiment, by its id, that are complete and have all these tags.

    There may be others among them: a tag with a quote in it is left to `takes`.
    """
    query = " and ".join(filter(None, [f"tags.`{DONE}` != ''", having(required)]))
    token = None
    while True:
        page = client.search_runs([experiment], query, max_results=1000, page_token=token)
        for run in page:
            began, found = run.info.start_time / 1000, run.data
            if chose(found.tags):
                yield Parts(began, {name: found.tags[name] for name in HEAD})
                continue
            points = client.get_metric_history(run.info.run_id, CURVE)
            curve = {point.step: point.value for point in points}
            yield Parts(began, found.tags, found.params, found.metrics, curve)
        token = page.token
        if not token:
            return


def chose(tags: Mapping[str, str]) -> bool:
    """Say whether a search chose by the run with these tags, which include those in HEAD."""
    return chooses(tags["target"], int(tags["seed"]))
