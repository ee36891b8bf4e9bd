"""A look before the leap: what cannot work is refused before anything is written."""

from moebench.experiment import Experiment
from moebench.run.recording import cost_of


def checked(experiment: Experiment) -> Experiment:
    """Prepare the data, run one batch through the model as in training, return the experiment.

    Raises:
        ValueError: if a part refuses, such as a capacity of less than one row.
    """
    model, data, _ = experiment.build(logger=False)
    data.prepare_data()
    data.setup("fit")
    cost_of(model.train(), next(iter(data.val_dataloader())))
    return experiment
