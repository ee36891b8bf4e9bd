"""What is widely told about mixtures of experts."""
