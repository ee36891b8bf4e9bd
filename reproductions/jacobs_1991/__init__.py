"""Jacobs, Jordan, Nowlan and Hinton 1991: adaptive mixtures of local experts."""
