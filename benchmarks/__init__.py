"""Benchmarks: speed of the layer and of training, always as ratios within one run."""
