"""Hierarchical mixtures of experts, 1994: the tree, its four learning methods, and the baseline."""

from reproductions.jordan_1994.networks.backprop import Network
from reproductions.jordan_1994.networks.curve import Cases, ends, learning_curve, relative_error
from reproductions.jordan_1994.networks.descent import Adam, Descent, Momentum
from reproductions.jordan_1994.networks.em import IRLS, ExpectationMaximisation, LeastSquares
from reproductions.jordan_1994.networks.online import Recursive
from reproductions.jordan_1994.networks.tree import Hierarchy, Tree

__all__ = [
    "IRLS",
    "Adam",
    "Cases",
    "Descent",
    "ExpectationMaximisation",
    "Hierarchy",
    "LeastSquares",
    "Momentum",
    "Network",
    "Recursive",
    "Tree",
    "ends",
    "learning_curve",
    "relative_error",
]
