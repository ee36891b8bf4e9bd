"""Jacobs et al. 1991, and Jordan and Jacobs 1994."""
