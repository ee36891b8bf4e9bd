"""Refuses balance losses whose scope a run does not have."""

from collections.abc import Mapping
from typing import Any

from moebench.experiment.device_options import devices_of

STEP, SEQUENCE = "StepLoadBalance", "SequenceBalance"


def check_scope(config: Mapping[str, Any]) -> None:
    """Refuse a balance loss whose scope the run does not have.

    Args:
        config: a resolved configuration.

    Raises:
        ValueError: for a loss over an optimiser step that is one batch on one device, or one over
            sequences of another length than those of the data.
    """
    for place, term in enumerate(config["model"].get("losses") or ()):
        name, arguments = _named(term["loss"])
        if name == STEP:
            _check_step(config["trainer"], f"model.losses.{place}.loss={name}")
        if name == SEQUENCE:
            _check_length(config["data"], f"model.losses.{place}.loss.length", arguments["length"])


def _named(part: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Return the name of a loss of ours, "" for any other, and its arguments."""
    module, _, name = part["class_path"].rpartition(".")
    return name if module.startswith("moebench.") else "", part.get("init_args") or {}


def _check_step(trainer: Mapping[str, Any], key: str) -> None:
    """Refuse a loss over the batches of a step where there is but one."""
    if devices_of(trainer) == 1 and (trainer.get("accumulate_grad_batches") or 1) == 1:
        raise ValueError(
            f"{key}: an optimiser step of this run is one batch on one device, so there is no wider"
            " scope; allowed: LoadBalance, or more with trainer.accumulate_grad_batches or "
            "trainer.devices"
        )


def _check_length(data: Mapping[str, Any], key: str, length: int) -> None:
    """Refuse sequences of another length than those that a next-token objective gives."""
    known = data.get("init_args") or {}
    objective = (known.get("objective") or {}).get("class_path", "NextToken").rpartition(".")[2]
    if objective == "NextToken" and known.get("length", length) != length:
        raise ValueError(f"{key}={length}: allowed: data.length, which is {known['length']}")
