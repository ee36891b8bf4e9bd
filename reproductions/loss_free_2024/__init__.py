"""Auxiliary-loss-free load balancing."""
