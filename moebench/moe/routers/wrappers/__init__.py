"""Wrappers of routers: the same rule on modified scores or inputs."""
