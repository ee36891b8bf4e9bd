"""Jordan and Jacobs 1994: hierarchical mixtures of experts, and the EM algorithm."""
