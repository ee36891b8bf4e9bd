"""Keeping training and validation text apart: near-duplicates, the split, shared passages.

Source: Lee et al. 2022, Deduplicating training data makes language models better (arXiv
2107.06499), sections 4 and 6: near-duplicates by MinHash, and exact passages.
"""

from moebench.data.separation.separate import Counts, Separated, separate

__all__ = ["Counts", "Separated", "separate"]
