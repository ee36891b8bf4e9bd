"""Hierarchical mixtures of 1994: the tree, what it shares with other parts, how it learns."""

from math import log, pi

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.dispatch.loop import Loop
from moebench.moe.experts.linear import Linear
from moebench.moe.layer import MoELayer
from reproductions.jacobs_1991.networks.errors import Likelihood, mix
from reproductions.jordan_1994.networks import (
    IRLS,
    Adam,
    Cases,
    Descent,
    ExpectationMaximisation,
    Hierarchy,
    LeastSquares,
    Momentum,
    Network,
    Recursive,
    Tree,
    ends,
    learning_curve,
    relative_error,
)
from reproductions.jordan_1994.networks.em import LEAST_VARIANCE, Products, refit_experts
from reproductions.jordan_1994.networks.online import recurse
from reproductions.jordan_1994.networks.tree import Explanation, answers

SEEDS = (3, 4)


def double(*numbers: object) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def draw(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def cases(number: int = 40, features: int = 3, outputs: int = 2, seed: int = 0) -> Cases:
    """Targets that are a bent function of the inputs."""
    x_TD = draw(number, features, seed=seed)
    return Cases.of(x_TD, (x_TD @ draw(features, outputs, seed=seed + 1)).abs() + x_TD[:, :1])


def grown(depth: int, spread: float = 1.0, features: int = 3, outputs: int = 2) -> Hierarchy:
    """Trees in general position, their variances different from each other."""
    weights = Tree(depth).init(SEEDS, spread, features, outputs)
    return weights._replace(log_variance_SE=draw(len(SEEDS), 2**depth) / 2)


# The tree


def test_the_ways_of_a_tree_of_depth_two_by_hand() -> None:
    tree = Tree(2)
    assert (tree.num_experts, tree.num_gates) == (4, 3)
    assert tree.left_GE.tolist() == [[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0]]
    assert tree.right_GE.tolist() == [[0, 0, 1, 1], [0, 1, 0, 0], [0, 0, 0, 1]]


def test_the_answer_of_a_tree_of_depth_two_by_hand() -> None:
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


def test_every_leaf_has_as_many_gates_above_it_as_the_tree_is_deep() -> None:
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


def test_scores_of_any_size_give_numbers() -> None:
    weights = Hierarchy(*(1e3 * of for of in grown(3)))._replace(
        log_variance_SE=torch.full((2, 8), log(LEAST_VARIANCE)).double()
    )
    found = Tree(3).explain(weights, *cases())
    assert all(of.isfinite().all() for of in found)


# Gradients


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


def test_the_gradient_of_a_network_is_that_of_autograd() -> None:
    x_DT, target_CT = cases()
    network = Network(5)
    weights = network.init(SEEDS, 3, 2)
    for of in weights:
        of.requires_grad_()
    hidden_SHT = (weights.hidden_SHD @ x_DT).tanh()
    miss_SCT = weights.output_SCH @ hidden_SHT + weights.constant_SC1 - target_CT
    expected = torch.autograd.grad(miss_SCT.square().sum(1).mean(1).sum() / 2, weights)
    with torch.no_grad():
        found = network.gradient(weights, x_DT, target_CT)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


def test_hidden_units_are_tanh() -> None:
    x_DT, _ = cases()
    network = Network(5)
    weights = network.init(SEEDS, 3, 2)
    expected = weights.output_SCH @ (weights.hidden_SHD @ x_DT).tanh() + weights.constant_SC1
    torch.testing.assert_close(network.predict(weights, x_DT), expected)


@pytest.mark.parametrize("name", ["momentum", "adam"])
def test_rules_are_those_of_torch(name: str) -> None:
    step_S = double(0.1, 0.02)
    rule = Momentum(step_S, 0.9) if name == "momentum" else Adam(step_S)
    weights = [draw(2, 3), draw(2, 1, 4)]
    theirs = [[of[s].clone().requires_grad_() for of in weights] for s in range(2)]
    optimizers = [
        torch.optim.SGD(theirs[s], step_S[s].item(), momentum=0.9)
        if name == "momentum"
        else torch.optim.Adam(theirs[s], step_S[s].item())
        for s in range(2)
    ]
    for number in range(5):
        gradient = [draw(*of.shape, seed=number) for of in weights]
        rule(weights, gradient)
        for s, optimizer in enumerate(optimizers):
            for of, slope in zip(theirs[s], gradient, strict=True):
                of.grad = slope[s].clone()
            optimizer.step()
    for s in range(2):
        for one, other in zip(weights, theirs[s], strict=True):
            torch.testing.assert_close(one[s], other.detach())


# EM


def test_one_expert_is_linear_regression_after_one_epoch() -> None:
    tree = Tree(0)
    train = cases()
    learner = ExpectationMaximisation(tree, tree.init(SEEDS, 0.5, 3, 2), IRLS())
    learner.epoch(*train)
    solution = torch.linalg.lstsq(train.x_DT.T, train.target_CT.T).solution.T
    torch.testing.assert_close(learner.weights.expert_SECD[0, 0], solution)
    squared = (solution @ train.x_DT - train.target_CT).square().mean()
    torch.testing.assert_close(learner.weights.log_variance_SE[0, 0].exp(), squared)


def test_experts_are_refitted_by_weighted_least_squares() -> None:
    tree, weights, (x_DT, target_CT) = Tree(2), grown(2), cases()
    posterior_SET = tree.explain(weights, x_DT, target_CT).posterior_SET
    found = refit_experts(weights, posterior_SET, Products.of(x_DT, target_CT))
    for expert in range(4):
        h_T = posterior_SET[1, expert]
        solution = torch.linalg.lstsq((x_DT * h_T.sqrt()).T, (target_CT * h_T.sqrt()).T).solution
        torch.testing.assert_close(found.expert_SECD[1, expert], solution.T, rtol=1e-6, atol=1e-8)
        squared_T = (solution.T @ x_DT - target_CT).square().mean(0)
        torch.testing.assert_close(
            found.log_variance_SE[1, expert].exp(), (h_T * squared_T).sum() / h_T.sum()
        )


def test_an_expert_without_cases_stays_as_it_is() -> None:
    weights, (x_DT, target_CT) = grown(1), cases()
    posterior_SET = torch.zeros(2, 2, 40).double()
    posterior_SET[:, 0] = 1
    found = refit_experts(weights, posterior_SET, Products.of(x_DT, target_CT))
    torch.testing.assert_close(found.expert_SECD[:, 1], weights.expert_SECD[:, 1])
    torch.testing.assert_close(found.log_variance_SE[:, 1], weights.log_variance_SE[:, 1])


def shares(*left: float) -> Explanation:
    """What two experts are held responsible for, case by case."""
    left_T = double(*left)
    nothing = torch.zeros(1, 1, len(left)).double()
    return Explanation(nothing[0], nothing, left_T[None, None], 1 - left_T[None, None], nothing)


def test_a_gate_without_inputs_by_hand() -> None:
    # Logistic regression finds the log odds of the mean, 2/3 : 1/3; least squares the mean of the
    # log odds, of 1/2, 3/4 and 3/4.
    constant = Products.of(torch.ones(1, 3).double(), torch.zeros(1, 3).double())
    found, start = shares(0.5, 0.75, 0.75), double([[0.0]])
    assert IRLS()(start, found, constant).item() == pytest.approx(log(2))
    assert LeastSquares()(start, found, constant).item() == pytest.approx(2 / 3 * log(3))


def test_a_gate_s_regression_counts_cases_by_the_share_of_its_subtree() -> None:
    constant = Products.of(torch.ones(1, 2).double(), torch.zeros(1, 2).double())
    found = shares(0.5, 0.1)._replace(right_SGT=double([[0.5, 0.1 / 3]]))
    start = double([[0.0]])
    weight = 0.1 + 0.1 / 3
    expected = weight * log(3) / (1 + weight)
    assert LeastSquares()(start, found, constant).item() == pytest.approx(expected)
    assert IRLS()(start, found, constant).item() == pytest.approx(log(0.6 / (0.5 + 0.1 / 3)))


def test_newton_steps_reach_the_maximum_from_far_away() -> None:
    tree, weights, (x_DT, target_CT) = Tree(2), grown(2), cases()
    found = tree.explain(weights, x_DT, target_CT)
    far_SGD = 5 * draw(2, 3, 4, seed=9)
    gate_SGD = IRLS(passes=50)(far_SGD, found, Products.of(x_DT, target_CT))
    slope_SGT = found.left_SGT - (gate_SGD @ x_DT).sigmoid() * (found.left_SGT + found.right_SGT)
    assert (slope_SGT @ x_DT.T).abs().max() < 1e-3


def lowered(gates: IRLS | LeastSquares, depth: int, spread: float, seed: int) -> float:
    """By how much the worst of 15 epochs lowers the log likelihood of a case."""
    tree, train = Tree(depth), cases(40, seed=seed)
    learner = ExpectationMaximisation(tree, tree.init([seed, seed + 1], spread, 3, 2), gates)
    values = []
    for _ in range(15):
        values.append(tree.explain(learner.weights, *train).log_likelihood_ST.mean(1))
        learner.epoch(*train)
    return -torch.stack(values).diff(dim=0).min().item()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 4), st.sampled_from([0.01, 0.5, 3.0]), st.integers(0, 99))
def test_em_never_lowers_the_likelihood(depth: int, spread: float, seed: int) -> None:
    assert lowered(IRLS(), depth, spread, seed) < 1e-9


def test_algorithm_two_sometimes_does() -> None:
    assert max(lowered(LeastSquares(), 3, 0.5, seed) for seed in range(5)) > 1e-3


@pytest.mark.parametrize("gates", [IRLS(), LeastSquares()])
def test_two_experts_find_the_two_lines_of_a_bent_one(gates: IRLS | LeastSquares) -> None:
    x_TD = torch.linspace(-1, 1, 101).double()[:, None]
    bent = Cases.of(x_TD, x_TD.abs())
    tree = Tree(1)
    learner = ExpectationMaximisation(tree, tree.init(range(5), 0.5, 1, 1), gates)
    learning_curve(learner, bent, bent, range(1, 61))
    slopes = learner.weights.expert_SECD[:, :, 0, 0].sort(dim=1).values
    torch.testing.assert_close(slopes, double(*[[-1.0, 1.0]] * 5), atol=0.05, rtol=0)


# On-line


def test_recursive_least_squares_is_weighted_least_squares() -> None:
    x_TD, y_T, h_T, decay = draw(12, 3), draw(12, seed=1), draw(12, seed=2).sigmoid(), 0.9
    inverse_SUDD = torch.eye(3).double()[None, None] * 2.0
    weight_D = torch.zeros(3).double()
    for x_D, y, h in zip(x_TD, y_T, h_T, strict=True):
        gain_SUD = recurse(inverse_SUDD, h[None, None], x_D[None, :, None], decay)
        weight_D = weight_D + (y - weight_D @ x_D) * gain_SUD[0, 0]
    count_T = h_T * decay ** torch.arange(11, -1, -1)
    moment = (x_TD * count_T[:, None]).T @ x_TD + decay**12 / 2 * torch.eye(3).double()
    expected = torch.linalg.solve(moment, x_TD.T @ (count_T * y_T))
    torch.testing.assert_close(weight_D, expected)
    torch.testing.assert_close(inverse_SUDD[0, 0], moment.inverse())


def test_lambda_moves_towards_one_every_thousand_cases() -> None:
    learner = Recursive(Tree(1), Tree(1).init([0], 0.5, 1, 1), [0])
    found = []
    for learner.seen in (0, 999, 1000, 2000, 100_000):
        found.append(learner.decay)
    assert found == pytest.approx([0.99, 0.99, 0.996, 0.9984, 1.0])


def test_what_a_tree_learns_from_one_case() -> None:
    # The first inverse moments are the identity, so a gain is h x / (lambda + h x.x).
    tree, start = Tree(2), grown(2, 0.1)
    x_D1, target_C1 = cases(1)
    found = tree.explain(start, x_D1, target_C1)
    learner = Recursive(tree, Hierarchy(*(of.clone() for of in start)), SEEDS)
    learner.epoch(x_D1, target_C1)
    square = x_D1.square().sum()

    h_SE11 = found.posterior_SET[..., None]
    step_SECD = h_SE11 * found.miss_SECT * x_D1[:, 0] / (0.99 + h_SE11 * square)
    torch.testing.assert_close(learner.weights.expert_SECD, start.expert_SECD + step_SECD)
    mass_SG1 = found.left_SGT + found.right_SGT
    miss_SG1 = (found.left_SGT / found.right_SGT).log() - start.gate_SGD @ x_D1
    step_SGD = mass_SG1 * miss_SG1 * x_D1[:, 0] / (0.99 + mass_SG1 * square)
    torch.testing.assert_close(learner.weights.gate_SGD, start.gate_SGD + step_SGD)
    h_SE, squared_SE = found.posterior_SET[..., 0], found.miss_SECT.square().mean((2, 3))
    variance_SE = (0.99 * start.log_variance_SE.exp() + h_SE * squared_SE) / (0.99 + h_SE)
    torch.testing.assert_close(learner.weights.log_variance_SE.exp(), variance_SE)


def test_on_line_one_expert_ends_near_linear_regression() -> None:
    train = cases(300)
    learner = Recursive(Tree(0), Tree(0).init(SEEDS, 0.5, 3, 2), SEEDS)
    learner.epoch(*train)
    learner.epoch(*train)
    solution = torch.linalg.lstsq(train.x_DT.T, train.target_CT.T).solution.T
    torch.testing.assert_close(learner.weights.expert_SECD[0, 0], solution, atol=0.3, rtol=0)
    assert learner.seen == 600


LEARNERS = {
    "em": lambda seeds: ExpectationMaximisation(Tree(2), Tree(2).init(seeds, 0.5, 3, 2), IRLS()),
    "least_squares": lambda seeds: ExpectationMaximisation(
        Tree(2), Tree(2).init(seeds, 0.5, 3, 2), LeastSquares()
    ),
    "recursive": lambda seeds: Recursive(Tree(2), Tree(2).init(seeds, 0.5, 3, 2), seeds),
    "gradient": lambda seeds: Descent(
        Tree(2), Tree(2).init(seeds, 0.5, 3, 2), Momentum(0.01 * torch.ones(len(seeds))), seeds, 1
    ),
    "network": lambda seeds: Descent(
        Network(8),
        Network(8).init(seeds, 3, 2),
        Momentum(0.1 * torch.ones(len(seeds)), 0.15),
        seeds,
    ),
    "adam": lambda seeds: Descent(
        Network(8), Network(8).init(seeds, 3, 2), Adam(0.01 * torch.ones(len(seeds))), seeds, 16
    ),
}


@pytest.mark.parametrize("name", LEARNERS)
def test_systems_learn_and_do_not_depend_on_their_company(name: str) -> None:
    train = cases(80)
    together, alone = (LEARNERS[name](seeds) for seeds in ([5, 6], [6]))
    before = relative_error(together, train)
    error_NS = learning_curve(together, train, train, range(1, 11))
    assert (error_NS[-1] < 0.7 * before).all()
    assert error_NS[-1, 0] != error_NS[-1, 1]
    expected = learning_curve(alone, train, train, range(1, 11))
    torch.testing.assert_close(error_NS[:, 1:], expected, rtol=1e-5, atol=1e-8)


def test_each_case_comes_once_an_epoch_in_an_order_that_changes() -> None:
    class Recorder:
        seen: list[list[float]]

        def gradient(self, weights: object, x: Tensor, target: Tensor) -> list[Tensor]:
            self.seen += x[:, 0].T.tolist()
            return []

    system = Recorder()
    learner = Descent(system, [], Momentum(double(0.0)), SEEDS, 3)
    orders = []
    for _ in range(2):
        system.seen = []
        learner.epoch(torch.arange(10.0)[None], torch.zeros(1, 10))
        orders += [list(order) for order in zip(*system.seen, strict=True)]
    assert all(sorted(order) == list(range(10)) for order in orders)
    assert len({tuple(order) for order in orders}) == 4


# Curves


def test_a_relative_error_by_hand() -> None:
    class Half:
        def predict(self, x_DT: Tensor) -> Tensor:
            return torch.stack([x_DT[:1] / 2, x_DT[:1] * 0])

    found = relative_error(Half(), Cases(double([2.0, -2.0]), double([2.0, -2.0])))
    assert found.tolist() == [0.25, 1.0]


def test_what_becomes_of_runs_by_hand() -> None:
    nan = float("nan")
    error_NS = double(
        [0.50, 0.9, 0.2, nan, 0.300, 0.5],
        [0.21, 0.8, 0.1, nan, 0.300, 0.4],
        [0.20, 0.7, nan, nan, 0.301, 0.3],
        [0.30, 0.6, nan, nan, 0.300, 0.2],
    )
    found = ends(error_NS, linear=0.3, every=10)
    assert found.error_S.tolist() == [0.2, 0.6, 0.1, float("inf"), 0.3, 0.2]
    assert found.epochs_S.tolist() == [20, 40, 20, 10, 10, 40]
    assert found.failed_S.tolist() == [False, True, True, True, False, False]
    assert found.falling_S.tolist() == [False, True, False, False, False, True]


def test_a_curve_is_measured_every_so_many_epochs() -> None:
    train = cases()
    learner = LEARNERS["network"](SEEDS)
    every = learning_curve(LEARNERS["network"](SEEDS), train, train, range(1, 7))
    some = learning_curve(learner, train, train, range(1, 7), every=3)
    torch.testing.assert_close(some, every[[2, 5]])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Tree(-1), "depth=-1: must not be negative"),
        (lambda: IRLS(0), "passes=0: must be at least 1"),
        (lambda: Network(0), "hidden=0: a network needs at least 1 hidden unit"),
        (
            lambda: Descent(Network(), None, Adam(double(0.1)), [0], -1),
            "batch_size=-1: must not be negative; 0 takes all cases",
        ),
    ],
)
def test_bad_sizes_are_refused(make: object, says: str) -> None:
    with pytest.raises(ValueError, match=f"^{says}$"):
        make()
