"""The page and text about the routing of a trained model."""
