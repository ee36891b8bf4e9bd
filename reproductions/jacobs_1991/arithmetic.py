"""The three errors in numbers: gradients, coupling, and which expert adapts fastest. No training.

Source: Jacobs, Jordan, Nowlan and Hinton 1991, section 1.
"""

import numpy as np
import torch
from sklearn.mixture import GaussianMixture
from torch import Tensor

from reproductions.jacobs_1991.networks.errors import (
    Competitive,
    Cooperative,
    Error,
    Likelihood,
    Mixed,
    mix,
)

DRAWS, EXPERTS, OUTPUTS = 10_000, 4, 3  # T cases, E experts, C outputs
FAR = 1.0  # the claim on adaptation is about experts that all miss by more than this


def gradients() -> dict[str, float]:
    """Return how far formulas deviate from autograd's gradients, in float64.

    `competitive/over_formula`: the gradient over -2 p_i (d - o_i), by least squares;
    `competitive/deviation`: the largest deviation from that. `further_term/deviation`: the same
    with 2 sum_j p_j (o_i - d) over the other experts added. `<error>/coupling`: the largest change
    of an expert's gradient when another expert's output moves by one.
    """
    mixed, target_CT = _draw(0)
    found = _by_output(Competitive(), mixed, target_CT)
    miss_SECT, gate_SET1 = mixed.output_SECT - target_CT, mixed.gate_SET[:, :, None]
    own = 2 * gate_SET1 * miss_SECT
    further = own + 2 * (1 - gate_SET1) * miss_SECT
    return {
        "competitive/over_formula": _times(found, own),
        "competitive/deviation": (found - own).abs().max().item(),
        "further_term/deviation": (found - further).abs().max().item(),
        "cooperative/coupling": _coupling(Cooperative(), mixed, target_CT),
        "competitive/coupling": _coupling(Competitive(), mixed, target_CT),
    }


def adaptation() -> dict[str, float]:
    """Return the shares of draws in which the best expert adapts slowest and fastest.

    Gates are equal and every expert misses by more than one; the speed of an expert is the norm of
    the gradient by its output.
    """
    generator = torch.Generator().manual_seed(0)
    direction_SECT = torch.randn(1, EXPERTS, OUTPUTS, DRAWS, generator=generator).double()
    direction_SECT /= direction_SECT.norm(dim=2, keepdim=True)
    length_SE1T = FAR + torch.rand(1, EXPERTS, 1, DRAWS, generator=generator).double() * 3
    mixed = mix(direction_SECT * length_SE1T, torch.zeros(1, EXPERTS, DRAWS).double())
    best_T = length_SE1T[0, :, 0].argmin(dim=0)
    metrics = {}
    for name, error in (("competitive", Competitive()), ("likelihood", Likelihood())):
        speed_ET = _by_output(error, mixed, torch.zeros(OUTPUTS, DRAWS).double())[0].norm(dim=1)
        for word, chosen_T in (("slowest", speed_ET.argmin(0)), ("fastest", speed_ET.argmax(0))):
            metrics[f"{name}/best_is_{word}"] = (chosen_T == best_T).double().mean().item()
    return metrics


def gaussian_mixture() -> dict[str, float]:
    """Return how far the likelihood error deviates from the negative log likelihood of a mixture.

    `value/over_likelihood` and `gradient/over_likelihood`: the ratios to the mixture's, by least
    squares; `value/deviation` and `gradient/deviation`: the largest deviations.

    Experts and gate are constant: their outputs are the means, the gate gives the proportions, and
    every variance is one. scikit-learn computes the likelihood; its responsibilities give the
    gradient. The constant that the paper omits from the density is added.
    """
    mixed, target_CT = _draw(1)
    constant = Mixed(*(part[..., :1].expand_as(part).clone() for part in mixed))
    oracle = GaussianMixture(EXPERTS, covariance_type="spherical")
    oracle.means_ = constant.output_SECT[0, :, :, 0].numpy()
    oracle.weights_ = constant.gate_SET[0, :, 0].numpy()
    oracle.covariances_ = oracle.precisions_cholesky_ = np.ones(EXPERTS)
    points_TC = target_CT.T.numpy()
    expected = torch.from_numpy(-oracle.score_samples(points_TC)) - OUTPUTS / 2 * np.log(2 * np.pi)
    share_ET = torch.from_numpy(oracle.predict_proba(points_TC)).T
    slope = share_ET[:, None] * (constant.output_SECT[0] - target_CT)
    value_T = Likelihood().value(constant, target_CT)[0]
    gradient_ECT = _by_output(Likelihood(), constant, target_CT)[0]
    return {
        "value/over_likelihood": _times(value_T, expected),
        "gradient/over_likelihood": _times(gradient_ECT, slope),
        "value/deviation": (value_T - expected).abs().max().item(),
        "gradient/deviation": (gradient_ECT - slope).abs().max().item(),
    }


def _times(found: Tensor, stated: Tensor) -> float:
    """Return the ratio of found to stated, by least squares."""
    return ((found * stated).sum() / stated.square().sum()).item()


def _draw(seed: int) -> tuple[Mixed, Tensor]:
    """Return outputs mixed by scores, and target_CT, all drawn from a normal distribution."""
    generator = torch.Generator().manual_seed(seed)
    shapes = ((1, EXPERTS, OUTPUTS, DRAWS), (1, EXPERTS, DRAWS), (OUTPUTS, DRAWS))
    output, score, target = (
        torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in shapes
    )
    return mix(output, score), target


def _by_output(error: Error, mixed: Mixed, target_CT: Tensor) -> Tensor:
    """Return slope_SECT, autograd's gradient by the experts' outputs."""
    output_SECT = mixed.output_SECT.clone().requires_grad_()
    value = error.value(mix(output_SECT, mixed.score_SET), target_CT).sum()
    (slope,) = torch.autograd.grad(value, output_SECT)
    return slope


def _coupling(error: Error, mixed: Mixed, target_CT: Tensor) -> float:
    """Return how much all other gradients change when the first expert's output moves."""
    moved_SECT = mixed.output_SECT.clone()
    moved_SECT[:, 0] += 1.0
    before = _by_output(error, mixed, target_CT)
    after = _by_output(error, mix(moved_SECT, mixed.score_SET), target_CT)
    return (after - before)[:, 1:].abs().max().item()
