"""Tiny Mixtures: a paper for tests."""
