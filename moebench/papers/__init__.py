"""The papers that can be reproduced. They are discovered, not listed.

A paper is two folders: `reproductions/<key>/` with `paper.py` (PAPER and CLAIMS) and `plan.py`
(PLAN), and `configs/<key>/`. Nothing else names it. `paper.py` may also have DISPUTES.
"""

from moebench.papers.registry import folder_of, left_out, target, targets
from moebench.papers.target import Target

__all__ = ["Target", "folder_of", "left_out", "target", "targets"]
