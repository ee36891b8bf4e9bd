"""What the plans of papers lay over their configurations: the keys, and settings in common.

Data, as the plans are; no torch. Seeds that no trial has used begin at `records.FIRST_FRESH_SEED`.
"""

from collections.abc import Mapping

NETWORK = "model.network.init_args"
LOSSES = "model.losses"
WORLD = "data.init_args.world.init_args"
VALID_BATCHES = "data.init_args.valid_batches"
PRECISION = "trainer.precision"
FASTER = "faster"  # precision: bfloat16, or float32 on a machine that is slow at bfloat16


def steps(number: int, validations: int) -> dict[str, object]:
    """Return the settings of a training of so many steps, with validations at equal distances.

    Raises:
        ValueError: if the last validation would not be at the end.
    """
    if number % validations:
        raise ValueError(f"validations={validations}: must divide the {number} steps")
    return {"trainer.max_steps": number, "trainer.val_check_interval": number // validations}


def losses(**weights: float) -> dict[str, object]:
    """Return the setting of the routing losses, by class; one of weight zero is still measured."""
    return {LOSSES: [{"loss": name, "weight": weight} for name, weight in weights.items()]}


# Of profiles that judge nothing: every part of a run comes up once or twice.
GLANCE: Mapping[str, object] = {**steps(4, validations=2), "trainer.log_every_n_steps": 1}
