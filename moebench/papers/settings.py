"""Configuration keys and settings that the plans of several papers share.

Plain data, like the plans; no torch. Seeds that no trial has used begin at
`moebench.evidence.record.FIRST_FRESH_SEED`.
"""

from collections.abc import Mapping

NETWORK = "model.network.init_args"
LOSSES = "model.losses"
WORLD = "data.init_args.world.init_args"
VALID_BATCHES = "data.init_args.valid_batches"
PRECISION = "trainer.precision"
MAX_STEPS = "trainer.max_steps"
FASTER = "faster"  # precision: bfloat16, or float32 on a machine that is slow at bfloat16


def steps(number: int, validations: int, cooldown: int = 0) -> dict[str, object]:
    """Return the settings for a number of steps with evenly spaced validations.

    Args:
        number: steps of the run.
        validations: how often it is validated.
        cooldown: last steps, over which the learning rate falls to zero; 0: none.

    Raises:
        ValueError: if the last validation would not fall on the last step.
    """
    if number % validations:
        raise ValueError(f"validations={validations}: must divide the number of steps, {number}")
    cooling = {"model.cooldown_steps": cooldown} if cooldown else {}
    return {MAX_STEPS: number, "trainer.val_check_interval": number // validations, **cooling}


def losses(**weights: float) -> dict[str, object]:
    """Return the setting for routing losses by class; one with weight zero is still measured."""
    return {LOSSES: [{"loss": name, "weight": weight} for name, weight in weights.items()]}


# For profiles that judge nothing: each part of a run happens once or twice.
SMOKE: Mapping[str, object] = {**steps(4, validations=2), "trainer.log_every_n_steps": 1}
