"""Worlds whose optimum is known: no loss can fall below their entropy, which is computed."""

from moebench.data.synthetic.markov import Sources
from moebench.data.synthetic.recall import Recall
from moebench.data.synthetic.synthetic import Synthetic
from moebench.data.synthetic.uniform import Uniform

WORLDS = {"recall": Recall, "sources": Sources, "uniform": Uniform}

__all__ = ["WORLDS", "Recall", "Sources", "Synthetic", "Uniform"]
