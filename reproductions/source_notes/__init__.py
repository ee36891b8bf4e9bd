"""Common statements about mixtures of experts."""
