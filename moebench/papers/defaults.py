"""What every configuration has that does not say otherwise. Plain data, like plans; no torch."""

DEFAULT_DATA = {
    "class_path": "moebench.data.text.Text",
    "init_args": {
        "source": {"class_path": "moebench.data.sources.Packages"},
        "objective": {"class_path": "moebench.data.objectives.NextToken"},
    },
}
TRAINER_DEFAULTS = {
    "accelerator": "auto",
    "devices": 1,
    "deterministic": True,
    "enable_model_summary": False,
    "enable_progress_bar": False,
    "log_every_n_steps": 10,
    "max_steps": 400,
    "num_sanity_val_steps": 0,
    "val_check_interval": 50,
}
