"""How many devices train a run, and the options of Lightning's Trainer that depend on it."""

import re
from collections.abc import Mapping
from typing import Any

ONE_DEVICE: Mapping[str, Any] = {"devices": 1, "strategy": "auto"}  # to look at an experiment
EXAMINATION = "moebench.run.examination.Examination"


def devices_asked(value: Any) -> list[int] | int | None:
    """Return how many devices a value asks for, or the numbers of those; None if it says neither.

    As for Lightning, `3` is a number of devices, and `[3]` and `3,` name one of them.
    """
    if isinstance(value, str) and re.fullmatch(r"\d+(,\d+)*,?", value):
        numbers = [int(part) for part in value.split(",") if part]
        value = numbers if "," in value else numbers[0]
    if value == "auto":
        return 1
    if isinstance(value, list):
        return value if value and all(type(number) is int for number in value) else None
    return value if type(value) is int and value >= 1 else None


def devices_of(options: Mapping[str, Any]) -> int:
    """Return how many devices train a run, given options of the Trainer that a run supports."""
    found = devices_asked(options.get("devices", 1))
    return len(found) if isinstance(found, list) else found or 1


def check_sharing(options: Mapping[str, Any]) -> None:
    """Refuse what goes with one device only, or with several only.

    Raises:
        ValueError: naming the option.
    """
    devices, strategy = devices_of(options), options.get("strategy", "auto")
    if devices == 1 and strategy != "auto":
        raise ValueError(
            f"trainer.strategy={strategy}: says how several devices train a run; "
            "allowed with trainer.devices=1: auto"
        )
    callbacks = options.get("callbacks") or []
    listed = callbacks if isinstance(callbacks, list) else [callbacks]
    if devices > 1 and any(_names(one, EXAMINATION) for one in listed):
        raise ValueError(
            f"trainer.callbacks=Examination: looks at whole batches, of which each of the {devices}"
            " devices has a part; `moebench analyze` looks at a trained model"
        )


def _names(part: Any, path: str) -> bool:
    return isinstance(part, Mapping) and part.get("class_path") == path
