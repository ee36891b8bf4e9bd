"""The 1991 mixture against the same mixture made of moebench's parts, and against scikit-learn."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from moebench.moe import MoELayer
from moebench.moe.dispatch import DISPATCHERS
from moebench.moe.experts import Linear
from moebench.moe.routers import AllExperts
from reproductions.jacobs_1991.networks import Cooperative, Likelihood, Mixture
from reproductions.jacobs_1991.networks.errors import mix
from reproductions.jacobs_1991.networks.system import prepare

T, E, D, S = 24, 4, 3, 5  # cases, experts, inputs with the constant 1 (and outputs), copies


class Logistic(nn.Module):
    """Linear experts, then the logistic function."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = Linear(D, E)

    def forward(self, x_RD: Tensor, count_E: Tensor) -> Tensor:
        return self.linear(x_RD, count_E).sigmoid()


@pytest.mark.parametrize("dispatcher", DISPATCHERS)
def test_it_equals_a_layer_with_dense_routing_to_linear_experts(dispatcher: str) -> None:
    torch.manual_seed(0)
    x_TF, target_TC = torch.randn(T, D - 1).double(), torch.rand(T, D).round().double()
    cases = prepare(x_TF, target_TC)
    system = Mixture(E, Cooperative())
    weights = system.init(range(S), 1.0, D - 1, D)
    weights["gate"] = torch.randn_like(weights["gate"])
    mixed = system.forward(weights, cases.x_DT)
    gradient = system.gradient(weights, mixed, cases)
    x_TD = torch.cat([x_TF, torch.ones(T, 1)], dim=1)
    for copy in range(S):
        layer = MoELayer(AllExperts(D, E), Logistic(), DISPATCHERS[dispatcher]()).double()
        layer.router.score.weight.data = weights["gate"][copy]
        layer.experts.linear.weight_EDF.data = weights["expert"][copy].mT.contiguous()
        y_TD, decision = layer(x_TD)
        close = {"atol": 1e-12, "rtol": 0}
        torch.testing.assert_close(mixed.blend_SCT[copy, :, :T].T, y_TD, **close)
        torch.testing.assert_close(mixed.gate_SET[copy, :, :T].T, decision.probs_TE, **close)
        (y_TD - target_TC).square().sum(dim=1).mean().backward()
        found = layer.experts.linear.weight_EDF.grad.mT
        torch.testing.assert_close(gradient["expert"][copy], found, **close)
        torch.testing.assert_close(gradient["gate"][copy], layer.router.score.weight.grad, **close)


@pytest.mark.parametrize("outputs", [1, 3])
def test_with_constant_parts_the_likelihood_is_that_of_a_gaussian_mixture(outputs: int) -> None:
    oracle = pytest.importorskip("sklearn.mixture").GaussianMixture(E, covariance_type="spherical")
    torch.manual_seed(0)
    mean_EC, score_E = torch.randn(E, outputs).double(), torch.randn(E).double()
    target_CT = 2 * torch.randn(outputs, T).double()
    oracle.means_, oracle.weights_ = mean_EC.numpy(), score_E.softmax(0).numpy()
    oracle.covariances_ = oracle.precisions_cholesky_ = np.ones(E)
    surprise_T = torch.from_numpy(-oracle.score_samples(target_CT.T.numpy()))
    posterior_ET = torch.from_numpy(oracle.predict_proba(target_CT.T.numpy())).T

    mixed = mix(
        mean_EC[None, ..., None].expand(1, -1, -1, T), score_E[None, :, None].expand(1, -1, T)
    )
    # The density's constant factor, which the paper leaves out: (2 pi)^(-C/2).
    value_T = Likelihood().value(mixed, target_CT)[0] + outputs / 2 * math.log(2 * math.pi)
    torch.testing.assert_close(value_T, surprise_T, atol=1e-10, rtol=0)
    to_output_SECT, to_score_SET = Likelihood().gradients(mixed, target_CT)
    by_mean_EC = (posterior_ET[:, None] * (mean_EC[..., None] - target_CT)).sum(dim=-1)
    by_score_E = (score_E.softmax(0)[:, None] - posterior_ET).sum(dim=-1)
    torch.testing.assert_close(to_output_SECT[0].sum(dim=-1), by_mean_EC, atol=1e-10, rtol=0)
    torch.testing.assert_close(to_score_SET[0].sum(dim=-1), by_score_E, atol=1e-10, rtol=0)
