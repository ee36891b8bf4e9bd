"""MLflow as a sink for the files of runs; the only user of mlflow, which is imported when needed.

Workers never talk to MLflow. The parent process of a reproduction reads what they write and sends
what is new, in batches, every few seconds; `moebench track` sends the same files later. So
tracking takes no time from a training step, and a server that dies loses nothing.

A reproduction is a parent run; every arm with a seed is a child, known by its folder and the hash
of its configuration: an interrupted one is taken up again, a finished one is never sent twice.
"""

from moebench.tracking.store import default_uri, ui_command
from moebench.tracking.tracker import Partner, Tracker, connect, send

__all__ = ["Partner", "Tracker", "connect", "default_uri", "send", "ui_command"]
