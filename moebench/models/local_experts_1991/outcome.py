"""What became of the copies of a population, seed by seed, as records need it."""
