"""Instruments for routing: what the experts of a model are asked for, and what that follows."""

from moebench.analysis.instruments import Instruments, experts_of, metrics
from moebench.analysis.labels import Labels
from moebench.analysis.seen import Choices, Seen
from moebench.analysis.token_table import Words, words

__all__ = ["Choices", "Instruments", "Labels", "Seen", "Words", "experts_of", "metrics", "words"]
