"""The name of a run's data in folders and tables."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NO_DATA_NAME = "no_data"  # of computed arms
LONGEST = 40  # characters


def data_name(config: Mapping[str, Any]) -> str:
    """Return a readable name for the data of a configuration that can be part of a file name.

    For text it is the name of its file or folder, or else of its source; for a synthetic world, and
    for any other data module, the name of the class. Different data may share a name.
    """
    data = config.get("data") or {}
    inside = data.get("init_args") or {}
    part = inside.get("source") or inside.get("world") or data
    path = (part.get("init_args") or {}).get("path")
    name = Path(path).resolve().name if path else str(part.get("class_path", "")).rpartition(".")[2]
    return re.sub(r"[^\w.-]", "_", name).lstrip(".")[:LONGEST] or NO_DATA_NAME
