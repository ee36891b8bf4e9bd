"""Text from a trained model, so that a person can look at what was trained."""

from moebench.generation.sampling import Sampler, continuation
from moebench.generation.trained import Trained, open_trained

__all__ = ["Sampler", "Trained", "continuation", "open_trained"]
