"""Mixture-of-experts papers as experiments: every claim executable, every verdict computed."""
