"""T5 with mixtures in the encoder alone, where an expert that chooses its tokens leaks nothing.

Source: expert choice compares a token with later ones, which only a causal model must not see: Zhou
et al. 2022 (arXiv 2202.09368), section 3; Wang et al. 2024 (arXiv 2408.15664), section 5.2.
"""

from moebench.models.encoder_decoder import TWO_STACKS, EncoderDecoder
from moebench.models.initialise import draw_seed, initialise
from moebench.models.t5_blocks import Mixtures, Shape, Stack
from moebench.moe.layer import Sparse


class SparseEncoder(EncoderDecoder):
    """`EncoderDecoder` whose decoder is dense.

    Args:
        vocabulary: number V of token ids, shared by encoder and decoder.
        shape: size of each of the two stacks.
        sparse: mixtures in place of the encoder's feed-forward blocks; None: the dense twin.
        initial_scale: scale s of the initial weights.

    Raises:
        ValueError: if a number is out of range.
    """

    def __init__(
        self,
        vocabulary: int,
        shape: Shape = TWO_STACKS,
        sparse: Sparse | None = None,
        initial_scale: float = 0.1,
    ) -> None:
        super().__init__(vocabulary, shape)
        mixtures = Mixtures(sparse, None)
        self.encoder = Stack(shape, mixtures, 0.0, causal=False, cross_attention=False)
        initialise(self, draw_seed(), initial_scale)
