"""Expectation-maximisation: linear and logistic regressions, weighted by responsibility.

An epoch computes who is responsible for each case (E) and then refits experts and gates to their
share of the cases (M). For experts that is weighted least squares, solved exactly. For gates it is
a weighted logistic regression, done in one of two ways:

* `IRLS`, the paper's algorithm 1: iteratively reweighted least squares, that is Newton steps;
* `LeastSquares`, its algorithm 2: the logarithms of the posterior are regressed on the inputs.

Every solution is pulled slightly towards the previous weights, so an expert without cases keeps its
weights. With algorithm 1 no part of an M step decreases its objective, so the log likelihood of the
training set never falls.

Source: Jordan and Jacobs 1994, the sections on the EM algorithm and on a least-squares algorithm.
From memory, without access to the text: in algorithm 2 a gate's regression is weighted by the share
of the cases that its subtree is responsible for. Not from the paper: the pull, the floor under the
variances, and the fallback for Newton steps, from Böhning and Lindsay 1988, "Monotonicity of
quadratic-approximation algorithms", Annals of the Institute of Statistical Mathematics 40.
"""

from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from reproductions.jordan_1994.networks.tree import Explanation, Hierarchy, Tree, answers

PULL = 1e-9  # towards the old weights, in units of cases
LEAST_VARIANCE = 1e-6
NO_GAIN = 1e-6  # of log likelihood, in nats
ROUNDING = torch.finfo(torch.float64).eps


class Products(NamedTuple):
    """The cases, with the products that all regressions need: F = D x D, J = C x D."""

    x_DT: Tensor
    target_CT: Tensor
    xx_TF: Tensor
    yx_TJ: Tensor

    @classmethod
    def of(cls, x_DT: Tensor, target_CT: Tensor) -> "Products":
        """Multiply inputs with inputs and targets with inputs, case by case."""
        xx_TF = torch.einsum("dt,ft->tdf", x_DT, x_DT).flatten(1)
        yx_TJ = torch.einsum("ct,dt->tcd", target_CT, x_DT).flatten(1)
        return cls(x_DT, target_CT, xx_TF, yx_TJ)

    def moments(self, weight_SUT: Tensor) -> Tensor:
        """Return the weighted sums of x x', moment_SUDD."""
        width = len(self.x_DT)
        moment_SUDD: Tensor = (weight_SUT @ self.xx_TF).unflatten(-1, (width, width))
        return moment_SUDD


class Gates(Protocol):
    """How the M step refits the gates."""

    def __call__(self, gate_SGD: Tensor, found: Explanation, cases: Products) -> Tensor:
        """Return the new gate_SGD."""
        ...


class IRLS:
    """Newton steps on each gate's weighted log likelihood.

    If a step overshoots, it is replaced by one that assumes the largest possible curvature, which
    never overshoots.

    Args:
        passes: maximum number of steps per epoch; fewer if none improves any more.

    Raises:
        ValueError: if there is not at least one.
    """

    def __init__(self, passes: int = 5) -> None:
        if passes < 1:
            raise ValueError(f"passes={passes}: must be at least 1")
        self.passes = passes

    def __call__(self, gate_SGD: Tensor, found: Explanation, cases: Products) -> Tensor:
        """Return the new gate_SGD."""
        mass_SGT = found.left_SGT + found.right_SGT
        steepest_SGDD = cases.moments(mass_SGT) / 4
        value_SG = _log_likelihood(gate_SGD, found, cases)
        for _ in range(self.passes):
            left_SGT = (gate_SGD @ cases.x_DT).sigmoid()
            slope_SGD = (found.left_SGT - left_SGT * mass_SGT) @ cases.x_DT.T
            curvature_SGDD = cases.moments(mass_SGT * left_SGT * (1 - left_SGT))
            moved_SGD = gate_SGD + _step(curvature_SGDD, slope_SGD)
            moved_value_SG = _log_likelihood(moved_SGD, found, cases)
            worse_SG = ~(moved_value_SG >= value_SG)
            if worse_SG.any():
                safe_SGD = gate_SGD + _step(steepest_SGDD, slope_SGD)
                moved_SGD = torch.where(worse_SG[..., None], safe_SGD, moved_SGD)
                moved_value_SG = _log_likelihood(moved_SGD, found, cases)
            gate_SGD, gain_SG, value_SG = moved_SGD, moved_value_SG - value_SG, moved_value_SG
            if (gain_SG <= NO_GAIN).all():
                break
        return gate_SGD


class LeastSquares:
    """One weighted linear regression per gate, on the log odds of the posterior.

    Posteriors are clipped at rounding error, below which their logarithm is meaningless.
    """

    def __call__(self, gate_SGD: Tensor, found: Explanation, cases: Products) -> Tensor:
        """Return the new gate_SGD."""
        mass_SGT = found.left_SGT + found.right_SGT
        miss_SGT = log_odds(found) - gate_SGD @ cases.x_DT
        pull_SGD = (mass_SGT * miss_SGT) @ cases.x_DT.T
        return gate_SGD + _step(cases.moments(mass_SGT), pull_SGD)


class ExpectationMaximisation:
    """Trains S trees by EM.

    Args:
        tree: their shape.
        weights: their initial weights.
        gates: how the gates are refitted.
    """

    def __init__(self, tree: Tree, weights: Hierarchy, gates: Gates) -> None:
        self.tree = tree
        self.weights = weights
        self.gates = gates

    def epoch(self, x_DT: Tensor, target_CT: Tensor) -> None:
        """Pass once through the cases."""
        cases = Products.of(x_DT, target_CT)
        found = self.tree.explain(self.weights, x_DT, target_CT)
        gate_SGD = self.gates(self.weights.gate_SGD, found, cases)
        experts = refit_experts(self.weights, found.posterior_SET, cases)
        self.weights = experts._replace(gate_SGD=gate_SGD)

    def predict(self, x_DT: Tensor) -> Tensor:
        """Return the predictions y_SCT."""
        return self.tree.predict(self.weights, x_DT)


def refit_experts(weights: Hierarchy, posterior_SET: Tensor, cases: Products) -> Hierarchy:
    """Return the experts and variances that best explain their share of the cases."""
    expert_SECD = weights.expert_SECD
    pull_SECD = (posterior_SET @ cases.yx_TJ).view_as(expert_SECD)
    fitted = weights._replace(
        expert_SECD=_solve(cases.moments(posterior_SET), pull_SECD, expert_SECD)
    )
    miss_SECT = cases.target_CT - answers(fitted, cases.x_DT)
    squared_SE = (posterior_SET * miss_SECT.square().sum(dim=2)).sum(dim=-1)
    mass_SE = posterior_SET.sum(dim=-1) * len(cases.target_CT)
    variance_SE = (squared_SE + PULL * weights.log_variance_SE.exp()) / (mass_SE + PULL)
    return fitted._replace(log_variance_SE=variance_SE.clamp(min=LEAST_VARIANCE).log())


def log_odds(found: Explanation) -> Tensor:
    """Return log(left / right) of the posterior at each gate, odds_SGT."""
    left_SGT, right_SGT = (share.clamp(min=ROUNDING) for share in (found.left_SGT, found.right_SGT))
    return left_SGT.log() - right_SGT.log()


def _log_likelihood(gate_SGD: Tensor, found: Explanation, cases: Products) -> Tensor:
    """Return the objective of each gate, value_SG."""
    score_SGT = gate_SGD @ cases.x_DT
    log_left_SGT = torch.nn.functional.logsigmoid(score_SGT)
    mass_SGT = found.left_SGT + found.right_SGT
    return (mass_SGT * log_left_SGT - found.right_SGT * score_SGT).sum(dim=-1)


def _step(curvature_SGDD: Tensor, slope_SGD: Tensor) -> Tensor:
    """Return the step to the maximum of a parabola with this slope and curvature."""
    slope_SG1D = slope_SGD[..., None, :]
    return _solve(curvature_SGDD, slope_SG1D, torch.zeros_like(slope_SG1D))[..., 0, :]


def _solve(moment: Tensor, pull: Tensor, old: Tensor) -> Tensor:
    """Return the rows w that solve w moment = pull, pulled towards the old rows.

    The solution maximises w.pull - w.moment.w / 2 - PULL |w - old|^2 / 2, so it is never worse than
    the old rows in the first two terms.
    """
    eye_DD = torch.eye(moment.shape[-1], dtype=moment.dtype)
    solved: Tensor = torch.linalg.solve(moment + PULL * eye_DD, (pull + PULL * old).mT)
    return solved.mT
