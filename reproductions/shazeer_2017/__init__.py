"""Outrageously Large Neural Networks: The Sparsely-Gated Mixture-of-Experts Layer."""
