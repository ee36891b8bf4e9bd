"""A look before the leap: what cannot work is refused before anything is written."""

from moebench.cost import count_batch
from moebench.experiment import Experiment


def checked(experiment: Experiment) -> Experiment:
    """Prepare the data, run one batch through the model as in training, return the experiment.

    Raises:
        ValueError: if a part refuses, such as a capacity of less than one row.
    """
    model, data, _ = experiment.build(logger=False)
    data.prepare_data()
    data.setup("fit")
    count_batch(model.train().network, next(iter(data.val_dataloader())))
    return experiment
