"""Training: the one LightningModule, the cost of a model, and the checks of the first step."""
