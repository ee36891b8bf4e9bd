"""Hierarchical mixtures of experts, 1994: the tree, its four ways to learn, and the baseline."""

from moebench.models.hierarchical_1994.backprop import Network
from moebench.models.hierarchical_1994.curve import Cases, ends, learning_curve, relative_error
from moebench.models.hierarchical_1994.descent import Adam, Descent, Momentum
from moebench.models.hierarchical_1994.em import IRLS, ExpectationMaximisation, LeastSquares
from moebench.models.hierarchical_1994.online import Recursive
from moebench.models.hierarchical_1994.tree import Hierarchy, Tree

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
