"""Mixture-of-experts papers as experiments: every claim executable, every verdict computed."""

__version__ = "0.1.0"
