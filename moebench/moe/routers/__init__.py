"""Routers: who decides which expert sees which token."""

from moebench.moe.routers.everyone import Everyone
from moebench.moe.routers.exploration import InputDropout
from moebench.moe.routers.group_limited import GroupLimited
from moebench.moe.routers.hashed import Hashed
from moebench.moe.routers.random import Random
from moebench.moe.routers.sampled import Sampled
from moebench.moe.routers.score import Score
from moebench.moe.routers.sigmoid_top_k import SigmoidTopK
from moebench.moe.routers.switch import Switch
from moebench.moe.routers.top_k import SoftmaxTopK, TopK

ROUTERS = {
    "everyone": Everyone,
    "group_limited": GroupLimited,
    "hashed": Hashed,
    "random": Random,
    "sampled": Sampled,
    "sigmoid_top_k": SigmoidTopK,
    "softmax_top_k": SoftmaxTopK,
    "switch": Switch,
    "top_k": TopK,
}

__all__ = [
    "ROUTERS",
    "Everyone",
    "GroupLimited",
    "Hashed",
    "InputDropout",
    "Random",
    "Sampled",
    "Score",
    "SigmoidTopK",
    "SoftmaxTopK",
    "Switch",
    "TopK",
]
