"""The models of the papers, built from the same parts."""
