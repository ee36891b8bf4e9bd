"""The tree: by hand, as the flat mixture of 1991, as a layer of moebench, its gradient."""

from math import log, pi

import pytest
import torch
from torch import Tensor, nn

from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.dispatch.loop import Loop
from moebench.moe.experts.linear import Linear
from moebench.moe.layer import MoELayer
from reproductions.jacobs_1991.networks.errors import Likelihood, mix
from reproductions.jordan_1994.networks.em import LEAST_VARIANCE
from reproductions.jordan_1994.networks.testing import cases, double, grown
from reproductions.jordan_1994.networks.tree import Hierarchy, Tree, answers


def test_the_paths_of_a_tree_of_depth_two_by_hand() -> None:
    tree = Tree(2)
    assert (tree.num_experts, tree.num_gates) == (4, 3)
    assert tree.left_GE.tolist() == [[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0]]
    assert tree.right_GE.tolist() == [[0, 0, 1, 1], [0, 1, 0, 0], [0, 0, 0, 1]]


def test_the_prediction_of_a_tree_of_depth_two_by_hand() -> None:
    # Constant gates: left with 3/4 at the root, 1/2 below it on the left, 1/5 on the right.
    gate_SGD = double([[0.0, log(3)], [0.0, 0.0], [0.0, -log(4)]])
    expert_SECD = double([[[2.0, 0.0]], [[0.0, 1.0]], [[-2.0, 0.0]], [[0.0, 5.0]]])
    weights = Hierarchy(expert_SECD, gate_SGD, torch.zeros(1, 4).double())
    x_DT = double([1.0, 3.0], [1.0, 1.0])
    prior_SET = Tree(2).log_prior(weights, x_DT).exp()
    assert prior_SET[0, :, 1].tolist() == pytest.approx([3 / 8, 3 / 8, 1 / 20, 4 / 20])
    first = 2 * 3 / 8 + 3 / 8 - 2 / 20 + 5 * 4 / 20
    third = 6 * 3 / 8 + 3 / 8 - 6 / 20 + 5 * 4 / 20
    assert Tree(2).predict(weights, x_DT)[0, 0].tolist() == pytest.approx([first, third])


def test_a_likelihood_and_a_posterior_by_hand() -> None:
    # Two experts that answer 0 and 2, variances 1 and 4, equally probable; the target is 1.
    expert_SECD = double([[[0.0]], [[2.0]]])
    weights = Hierarchy(expert_SECD, double([[0.0]]), double([0.0, log(4)]))
    found = Tree(1).explain(weights, double([1.0]), double([1.0]))
    near = torch.exp(double(-1 / 2)).item() / (2 * pi) ** 0.5
    far = torch.exp(double(-1 / 8)).item() / (8 * pi) ** 0.5
    assert found.log_likelihood_ST.item() == pytest.approx(log((near + far) / 2))
    assert found.left_SGT.item() == pytest.approx(near / (near + far))
    assert found.right_SGT.item() == pytest.approx(far / (near + far))


@pytest.mark.parametrize("depth", range(6))
def test_the_weights_of_the_leaves_sum_to_one(depth: int) -> None:
    prior_SET = Tree(depth).log_prior(grown(depth, 30.0), cases().x_DT).exp()
    assert prior_SET.shape == (2, 2**depth, 40)
    torch.testing.assert_close(prior_SET.sum(1), torch.ones(2, 40).double())


def test_every_leaf_has_one_gate_per_level_above_it() -> None:
    tree = Tree(4)
    assert ((tree.left_GE + tree.right_GE).sum(0) == 4).all()
    ways = (tree.left_GE - tree.right_GE).T
    assert len({tuple(way) for way in ways.tolist()}) == 16


def test_depth_one_is_the_flat_mixture_of_1991() -> None:
    weights = grown(1)._replace(log_variance_SE=torch.zeros(2, 2).double())
    x_DT, target_CT = cases()
    score_ST = (weights.gate_SGD @ x_DT)[:, 0]
    flat = mix(answers(weights, x_DT), torch.stack([score_ST, torch.zeros_like(score_ST)], 1))
    torch.testing.assert_close(Tree(1).predict(weights, x_DT), flat.blend_SCT)
    found = Tree(1).explain(weights, x_DT, target_CT)
    expected_ST = -Likelihood().value(flat, target_CT) - len(target_CT) / 2 * log(2 * pi)
    torch.testing.assert_close(found.log_likelihood_ST, expected_ST)
    to_output_SECT, to_score_SET = Likelihood().gradients(flat, target_CT)
    gradient = Tree(1).gradient(weights, x_DT, target_CT)
    expected = torch.einsum("sect,dt->secd", to_output_SECT, x_DT) / x_DT.shape[1]
    torch.testing.assert_close(gradient.expert_SECD, expected)
    expected = to_score_SET[:, :1] @ x_DT.T / x_DT.shape[1]
    torch.testing.assert_close(gradient.gate_SGD, expected)


class Leaves(nn.Module):
    """Sends each token to every expert of a tree, weighted by the probability of its leaf."""

    def __init__(self, tree: Tree, weights: Hierarchy) -> None:
        super().__init__()
        self.tree, self.weights, self.num_experts = tree, weights, tree.num_experts

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        logits_TE = self.tree.log_prior(self.weights, x_TD.T)[0].T
        expert_TE = torch.arange(self.num_experts).expand_as(logits_TE)
        return tokens_choose(logits_TE, logits_TE.exp(), expert_TE, logits_TE.exp())


def test_a_tree_is_a_layer_of_moebench_whose_router_weights_the_leaves() -> None:
    tree, weights = Tree(3), grown(3, outputs=4)
    experts = Linear(4, 8).double()
    experts.weight_EDF.data = weights.expert_SECD[0].mT.clone()
    layer = MoELayer(Leaves(tree, weights), experts, Loop())
    y_TC, decision = layer(cases().x_DT.T.contiguous())
    torch.testing.assert_close(y_TC, tree.predict(weights, cases().x_DT)[0].T)
    torch.testing.assert_close(decision.probs_TE.sum(1), torch.ones(40).double())


def test_extreme_scores_give_finite_numbers() -> None:
    weights = Hierarchy(*(1e3 * of for of in grown(3)))._replace(
        log_variance_SE=torch.full((2, 8), log(LEAST_VARIANCE)).double()
    )
    found = Tree(3).explain(weights, *cases())
    assert all(of.isfinite().all() for of in found)


@pytest.mark.parametrize("depth", [0, 1, 3])
@pytest.mark.parametrize("shared", [True, False])
def test_the_gradient_of_a_tree_is_that_of_autograd(depth: int, shared: bool) -> None:
    x, target = cases()
    if not shared:
        x, target = (torch.stack([of, 2 * of]) for of in (x, target))
    tree = Tree(depth)
    weights = Hierarchy(*(of.clone().requires_grad_() for of in grown(depth)))
    loss = -tree.explain(weights, x, target).log_likelihood_ST.mean(1).sum()
    expected = torch.autograd.grad(loss, weights, materialize_grads=True)
    with torch.no_grad():
        found = tree.gradient(weights, x, target)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


def test_a_negative_depth_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^depth=-1: must not be negative$"):
        Tree(-1)
