"""Wrappers of routers: the same rule, on other scores or another view of the token."""
