"""The sequence-wise balance loss: every sequence uses its experts evenly, by itself.

Source: DeepSeek-AI 2024, DeepSeek-V3 (arXiv 2412.19437), section 2.1.2, equations 17 to 20.
"""

from torch import Tensor, nn

from moebench.moe.decision import RoutingDecision


class SequenceBalance(nn.Module):
    """N * sum_i f_i * P_i of each sequence, averaged over the sequences: one when uniform.

    f_i is expert i's share of the sequence's requests, before capacity drops any, and carries no
    gradient; P_i is its mean probability over the tokens of the sequence. Of `SigmoidTopK` those
    are the normalised affinities of the paper. The narrowest of the scopes: `LoadBalance` balances
    a batch and `StepLoadBalance` an optimiser step, so that sequences may differ as long as they
    balance one another out. It costs as much as `LoadBalance`, with a table of S sequences by E
    experts in place of a row.

    Args:
        length: tokens L of a sequence; sequences arrive end to end, without padding.

    Raises:
        ValueError: for a length below one; when called, if the tokens are not whole sequences.
    """

    def __init__(self, length: int) -> None:
        super().__init__()
        if length < 1:
            raise ValueError(f"length={length}: must be at least 1")
        self.length = length

    def forward(self, decision: RoutingDecision) -> Tensor:
        """Return the loss of one layer, a scalar of the type of `decision.probs_TE`."""
        tokens, num = decision.num_tokens, decision.num_experts
        if tokens % self.length:
            raise ValueError(
                f"length={self.length}: does not divide the {tokens} tokens of a batch"
            )
        sequences = tokens // self.length
        place_A = decision.token_A // self.length * num + decision.requested_A
        count_SE = place_A.bincount(minlength=sequences * num).unflatten(0, (sequences, num))
        share_SE = count_SE / count_SE.sum(dim=1, keepdim=True).clamp(min=1)
        prob_SE = decision.probs_TE.unflatten(0, (sequences, self.length)).mean(dim=1)
        loss: Tensor = num * (share_SE.to(prob_SE.dtype) * prob_SE).sum() / max(1, sequences)
        return loss
