"""MLflow as a sink for the files of runs; the only user of mlflow, which is imported when needed.

Workers never talk to MLflow. The parent process of a reproduction reads what they write and sends
what is new, in batches, every few seconds; `moebench track` sends the same files later. So
tracking takes no time from a training step, a dead server loses nothing, and a killed worker
leaves nothing behind.

`logged` reads the same runs back, as records.

A reproduction is a run in MLflow, and each arm with a seed is a child of it; a run of `fit` has no
parent. Whoever drives a run sends it, and nobody else. A run with a record is complete and is never
sent twice, even if its files have moved; one without is continued.
"""

from moebench.tracking.children import Partner
from moebench.tracking.read import Logged, Wanted, logged
from moebench.tracking.run_files import DENSE_ARM, MATCHED_ON, TAGS
from moebench.tracking.send import Sent, send
from moebench.tracking.server import default_uri, ui_address, ui_command
from moebench.tracking.tracker import Tracker, connect

__all__ = [
    "DENSE_ARM",
    "MATCHED_ON",
    "TAGS",
    "Logged",
    "Partner",
    "Sent",
    "Tracker",
    "Wanted",
    "connect",
    "default_uri",
    "logged",
    "send",
    "ui_address",
    "ui_command",
]
