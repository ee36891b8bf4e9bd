"""The balance loss over blocks of several sequences, between that of a sequence and of a batch.

Source: Qiu et al. 2025, Demons in the detail (arXiv 2501.11873), section 3: a loss over each
micro-batch of a few sequences.
"""

from moebench.moe.losses.sequence_balance import SequenceBalance


class BlockBalance(SequenceBalance):
    """`SequenceBalance` whose sequences are blocks: several sequences, end to end, as one.

    Args:
        length: tokens of a block.
    """
