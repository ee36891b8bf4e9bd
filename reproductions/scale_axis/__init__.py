"""Do comparisons of mixtures change with the size of the models? Our own questions."""
