"""Training: the one LightningModule, what it costs, and what its first step is checked for."""
