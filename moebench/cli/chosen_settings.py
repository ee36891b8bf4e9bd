"""What a person chose by options, as settings of a configuration."""

import argparse


def chosen_settings(options: argparse.Namespace) -> dict[str, object]:
    """Return the settings that a person chose by options: device, precision and text."""
    return {**machine_settings(options), **data_settings(options)}


def machine_settings(options: argparse.Namespace) -> dict[str, object]:
    """Return the settings of the device and precision that a person chose.

    Raises:
        ValueError: for a GPU where there is none.
    """
    if options.device == "cuda":
        from moebench.run.machine import device_of  # needs torch

        device_of(options.device)
    chosen = {"trainer.accelerator": options.device, "trainer.precision": options.precision}
    return {key: value for key, value in chosen.items() if value is not None}


def data_settings(options: argparse.Namespace) -> dict[str, object]:
    """Return the settings of a person's own text."""
    arguments = files_arguments(options)
    files = {"class_path": "moebench.data.sources.Files", "init_args": arguments}
    return {"data.source": files} if arguments else {}


def files_arguments(options: argparse.Namespace) -> dict[str, str]:
    """Return the arguments of `Files` for a person's own text, none where there is none.

    Raises:
        ValueError: for a field of no text.
    """
    field = {} if options.field is None else {"field": str(options.field)}
    if options.data is not None:
        return {"path": str(options.data), **field}
    if field:
        raise ValueError(
            f"field={options.field}: names the text in the rows of --data; give --data, too"
        )
    return {}
