"""Runs: an experiment and a seed become a record, over worker processes."""
