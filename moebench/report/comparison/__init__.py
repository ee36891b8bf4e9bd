"""The page, text and tables of a comparison of mixtures with dense models."""
