"""How the error falls over the epochs, and how a run ends.

Dimensions: S runs side by side, C outputs, T cases, D inputs with the constant 1, N points of the
curve.

Source: Jordan and Jacobs 1994, Neural Computation 6, 181-214, Tables 1 and 2.
"""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

CLOSE = 1.05  # a run has converged when its error is within this factor of the smallest
ROUNDING = 1e-9


class Learner(Protocol):
    """S systems that learn in passes through the cases."""

    def epoch(self, x_DT: Tensor, target_CT: Tensor) -> None:
        """Pass once through the cases."""
        ...

    def predict(self, x_DT: Tensor) -> Tensor:
        """Return the predictions y_SCT."""
        ...


class Cases(NamedTuple):
    """A set of cases."""

    x_DT: Tensor  # inputs, with a last row of ones
    target_CT: Tensor

    @classmethod
    def of(cls, x_TD: Tensor, target_TC: Tensor) -> "Cases":
        """Turn cases into columns and add the constant."""
        x_DT = torch.cat([x_TD, torch.ones_like(x_TD[:, :1])], dim=1).T.contiguous()
        return cls(x_DT, target_TC.T.contiguous())


def relative_error(learner: Learner, cases: Cases) -> Tensor:
    """Return the mean squared error divided by that of predicting the mean, error_S.

    Targets are standardised, so the mean of the training targets is 0.
    """
    squared_S = (learner.predict(cases.x_DT) - cases.target_CT).square().mean(dim=(1, 2))
    return squared_S / cases.target_CT.square().mean()


def learning_curve(
    learner: Learner, train: Cases, test: Cases, epochs: Iterable[int], every: int = 1
) -> Tensor:
    """Train, and return the relative error on the test set after each `every` epochs, error_NS.

    Args:
        learner: the learner, which is trained.
        train: the training cases.
        test: the cases that its error is measured on.
        epochs: 1, 2, ... up to the last.
        every: epochs between measurements.
    """
    curve = []
    for epoch in epochs:
        learner.epoch(*train)
        if epoch % every == 0:
            curve.append(relative_error(learner, test))
    return torch.stack(curve)


class Ends(NamedTuple):
    """How each of S runs ended."""

    error_S: Tensor  # smallest of the curve; infinite if all are NaN
    epochs_S: Tensor  # until the curve is first within 5% of it
    failed_S: Tensor  # bool
    falling_S: Tensor  # bool, whether that was in the last tenth of the epochs


def ends(error_NS: Tensor, linear: float, every: int = 1) -> Ends:
    """Evaluate runs by their curves.

    A run has converged at the first epoch whose error is within 5% of its smallest; if that is in
    the last tenth of the curve, more epochs would probably have changed it. A run has failed if its
    final error is NaN, or if its smallest error exceeds that of linear regression by more than
    rounding.

    Args:
        error_NS: relative errors on the test set.
        linear: the relative error of linear regression.
        every: epochs between points of the curve.
    """
    known_NS = torch.where(error_NS.isfinite(), error_NS, torch.inf)
    least_S = known_NS.amin(dim=0)
    points_S = (known_NS <= CLOSE * least_S).double().argmax(dim=0) + 1
    failed_S = ~error_NS[-1].isfinite() | (least_S > linear * (1 + ROUNDING))
    return Ends(least_S, points_S * every, failed_S, points_S > 0.9 * len(error_NS))
