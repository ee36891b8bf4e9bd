"""What follows from the rule of the bias and from printed numbers. No training.

Source: Wang et al. 2024 (arXiv 2408.15664), equation 3, algorithm 1, section 5.2 and appendix D.
"""

import math

import torch

from moebench.moe.routers import SigmoidTopK

LAYERS, EXPERTS, PICKS = 9, 16, 2  # of the model that expert choice leaks in


def bias_choice() -> dict[str, float]:
    """Return how the choice, the weights and the gradients of a gate depend on its bias.

    `moved` is the share of tokens whose experts a bias changes; `weight/deviation` the largest
    distance of a chosen expert's weight from its score; `bias/gradients` how many parameters are
    the bias; `score/deviation` the largest distance of the gradient by the scores from that of the
    same choice without a bias.
    """
    torch.manual_seed(0)
    router = SigmoidTopK(16, EXPERTS, PICKS, normalised=False).double()
    x_TD = torch.randn(256, 16, dtype=torch.float64)
    plain_TK = router(x_TD).expert_A.view(PICKS, -1).T.sort().values
    router.bias_E += torch.linspace(-0.3, 0.3, EXPERTS, dtype=torch.float64)
    decision = router(x_TD)
    expert_TK = decision.expert_A.view(PICKS, -1).T
    (slope,) = torch.autograd.grad(decision.weight_A.square().sum(), router.score.weight)
    score_TE = (x_TD @ router.score.weight.T).sigmoid()
    chosen_TK = score_TE.gather(1, expert_TK)
    (by_hand,) = torch.autograd.grad(chosen_TK.square().sum(), router.score.weight)
    weight_TK = decision.weight_A.view(PICKS, -1).T
    return {
        "moved": (expert_TK.sort().values != plain_TK).any(dim=-1).double().mean().item(),
        "weight/deviation": (weight_TK - chosen_TK).abs().max().item(),
        "score/deviation": (slope - by_hand).abs().max().item(),
        "bias/gradients": float("bias_E" in dict(router.named_parameters())),
    }


def leak() -> dict[str, float]:
    """Return the bits a token that expert choice can leak of later tokens, as the paper bounds it.

    Each of K picks a layer gives log2((1 - R) / R) bits, with R = K / N, the share of tokens that
    an expert chooses.
    """
    share = PICKS / EXPERTS
    return {"bits": LAYERS * PICKS * math.log2((1 - share) / share)}
