"""Scopes of balance losses that a run has, and does not have."""

from pathlib import Path

import pytest

from moebench.experiment import ConfigurationError, load

MIXTURE = Path(__file__).parents[2] / "configs" / "tiny_2026" / "mixtral_8.yaml"
STEP = {"model.losses": [{"loss": "LoadBalance"}, {"loss": "StepLoadBalance"}]}
ACCUMULATED = {"trainer.accumulate_grad_batches": 2, "trainer.val_check_interval": 50}


def sequences(length: int) -> dict[str, object]:
    loss = {"class_path": "SequenceBalance", "init_args": {"length": length}}
    return {"model.losses": [{"loss": loss, "weight": 1e-4}]}


@pytest.mark.parametrize(
    "settings",
    [{**STEP, **ACCUMULATED}, {**STEP, "trainer.devices": 2, "trainer.callbacks": []}],
)
def test_a_step_of_several_batches_or_devices_has_a_scope_of_its_own(
    settings: dict[str, object],
) -> None:
    load([MIXTURE], settings)


def test_a_step_of_one_batch_has_none() -> None:
    refusal = r"model\.losses\.1\.loss=StepLoadBalance: .* one batch on one device.*accumulate_grad"
    with pytest.raises(ConfigurationError, match=refusal):
        load([MIXTURE], STEP)


def test_sequences_are_as_long_as_those_of_the_data() -> None:
    load([MIXTURE], sequences(64))
    load([MIXTURE], {**sequences(32), "data.init_args.length": 32})
    refusal = r"model\.losses\.0\.loss\.length=32: allowed: data\.length, which is 64"
    with pytest.raises(ConfigurationError, match=refusal):
        load([MIXTURE], sequences(32))
