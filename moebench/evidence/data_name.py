"""What the data of a run are called wherever people read their name: in folders and tables."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NAMELESS = "no_data"  # what the data of a function are called
LONGEST = 40  # characters


def data_name(config: Mapping[str, Any]) -> str:
    """Return what a person would call the data of a configuration, fit to be part of a file name.

    Of a text it is the name of its file or folder, else that of its source; of a world that of its
    class, and of any other data module, too. Other data may have the same name.
    """
    data = config.get("data") or {}
    inside = data.get("init_args") or {}
    part = inside.get("source") or inside.get("world") or data
    path = (part.get("init_args") or {}).get("path")
    name = Path(path).resolve().name if path else str(part.get("class_path", "")).rpartition(".")[2]
    return re.sub(r"[^\w.-]", "_", name).lstrip(".")[:LONGEST] or NAMELESS
