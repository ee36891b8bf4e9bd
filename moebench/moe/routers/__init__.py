"""Routers decide which expert sees which token; wrappers change what another router does.

Example:
    router = routers.Limited(64, lambda dim: routers.Switch(dim, 8), Capacity(factor=1.25))
    decision = router(torch.randn(10, 64))
"""

from moebench.moe.capacity.limit import Limited
from moebench.moe.routers.all_experts import AllExperts
from moebench.moe.routers.balanced_assignment import BalancedAssignment
from moebench.moe.routers.balanced_hash import BalancedHash
from moebench.moe.routers.batchwise import Batchwise
from moebench.moe.routers.bias_balanced import BiasBalanced
from moebench.moe.routers.biased_top_k import BiasedTopK
from moebench.moe.routers.expert_choice import ExpertChoice
from moebench.moe.routers.group_limited import GroupLimited
from moebench.moe.routers.gshard import GShard
from moebench.moe.routers.gumbel_softmax import GumbelSoftmax
from moebench.moe.routers.hard_gumbel_softmax import HardGumbelSoftmax
from moebench.moe.routers.hash_table import HashTable
from moebench.moe.routers.hashed import Hashed
from moebench.moe.routers.hierarchical import Hierarchical
from moebench.moe.routers.noisy_top_k import NoisyTopK
from moebench.moe.routers.random import Random
from moebench.moe.routers.reinforce import Reinforce
from moebench.moe.routers.sampled import Sampled
from moebench.moe.routers.scaled_top_k import ScaledTopK
from moebench.moe.routers.score import Score
from moebench.moe.routers.sigmoid_top_k import SigmoidTopK
from moebench.moe.routers.sinkhorn import Sinkhorn
from moebench.moe.routers.straight_through import StraightThrough
from moebench.moe.routers.switch import Switch
from moebench.moe.routers.top_k import SoftmaxTopK, TopK
from moebench.moe.routers.wrappers.input_dropout import InputDropout
from moebench.moe.routers.wrappers.tempered import Tempered

ROUTERS = {
    "all_experts": AllExperts,
    "balanced_assignment": BalancedAssignment,
    "balanced_hash": BalancedHash,
    "batchwise": Batchwise,
    "biased_top_k": BiasedTopK,
    "expert_choice": ExpertChoice,
    "group_limited": GroupLimited,
    "gshard": GShard,
    "gumbel_softmax": GumbelSoftmax,
    "hard_gumbel_softmax": HardGumbelSoftmax,
    "hash_table": HashTable,
    "hashed": Hashed,
    "hierarchical": Hierarchical,
    "noisy_top_k": NoisyTopK,
    "random": Random,
    "reinforce": Reinforce,
    "sampled": Sampled,
    "scaled_top_k": ScaledTopK,
    "sigmoid_top_k": SigmoidTopK,
    "sinkhorn": Sinkhorn,
    "softmax_top_k": SoftmaxTopK,
    "straight_through": StraightThrough,
    "switch": Switch,
    "top_k": TopK,
}
WRAPPERS = {
    "bias_balanced": BiasBalanced,
    "input_dropout": InputDropout,
    "limited": Limited,
    "tempered": Tempered,
}

__all__ = [
    "ROUTERS",
    "WRAPPERS",
    "AllExperts",
    "BalancedAssignment",
    "BalancedHash",
    "Batchwise",
    "BiasBalanced",
    "BiasedTopK",
    "ExpertChoice",
    "GShard",
    "GroupLimited",
    "GumbelSoftmax",
    "HardGumbelSoftmax",
    "HashTable",
    "Hashed",
    "Hierarchical",
    "InputDropout",
    "Limited",
    "NoisyTopK",
    "Random",
    "Reinforce",
    "Sampled",
    "ScaledTopK",
    "Score",
    "SigmoidTopK",
    "Sinkhorn",
    "SoftmaxTopK",
    "StraightThrough",
    "Switch",
    "Tempered",
    "TopK",
]
