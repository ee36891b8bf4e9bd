"""Instruments for routing: which experts tokens request, and what that depends on."""

from moebench.analysis.instruments import Instruments, experts_of, metrics
from moebench.analysis.labels import Labels
from moebench.analysis.routed_batch import Choices, RoutedBatch
from moebench.analysis.token_table import TokenCounts, count_tokens

__all__ = [
    "Choices",
    "Instruments",
    "Labels",
    "RoutedBatch",
    "TokenCounts",
    "count_tokens",
    "experts_of",
    "metrics",
]
