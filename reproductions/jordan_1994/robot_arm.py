"""The forward dynamics of a robot arm: from angles, speeds and torques to accelerations.

The arm has two links that move in one vertical plane, each a uniform rod. With q the angle of the
first joint from the horizontal and of the second from the first link, its motion obeys

    M(q) q'' + C(q, q') q' + g(q) = torque

The task is to predict q'' from the six numbers q, q' and torque. The paper's arm has four joints,
12 inputs and 4 outputs. Masses, lengths and the ranges of the inputs are our own; with these ranges
linear regression leaves a third of the variance unexplained, as in the paper.

Source: Jordan and Jacobs 1994, "Hierarchical mixtures of experts and the EM algorithm", Neural
Computation 6, 181-214, the simulations (the task); Spong, Hutchinson and Vidyasagar 2006,
"Robot Modeling and Control", chapter 7, planar elbow manipulator (the equations).
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from math import pi
from typing import NamedTuple

import pytorch_lightning as pl
import torch
from torch import Tensor

from reproductions.jacobs_1991.whole import Whole

GRAVITY = 9.81  # m/s^2
LARGEST_2 = {"angle": pi / 2, "speed": 2.0, "torque": 5.0}  # rad, rad/s, N m; of either joint


class ArmBatch(NamedTuple):
    """All cases of a set: T states of the arm, D = 6 inputs, C = 2 outputs."""

    x_TD: Tensor  # two angles, two speeds, two torques, each as a share of its largest; float64
    target_TC: Tensor  # accelerations, standardised by the training set; float64


@dataclass(frozen=True)
class Link:
    """A rigid link; by default a uniform rod of one metre and one kilogram."""

    mass: float = 1.0  # kg
    length: float = 1.0  # m
    centre: float = 0.5  # m from the joint to the centre of mass
    inertia: float = 1 / 12  # kg m^2 about the centre of mass


def accelerations(
    angle_T2: Tensor, speed_T2: Tensor, torque_T2: Tensor, links: Sequence[Link]
) -> Tensor:
    """Return the accelerations q''_T2 of the two joints, in rad/s^2.

    Args:
        angle_T2: q, in rad.
        speed_T2: q', in rad/s.
        torque_T2: the torque, in N m.
        links: both links, the one fixed to the ground first.
    """
    first, second = links
    (q1_T, q2_T), (v1_T, v2_T) = angle_T2.T, speed_T2.T
    reach = second.mass * first.length
    coupling_T = reach * second.centre * q2_T.cos()
    about_second = second.inertia + second.mass * second.centre**2
    about_first = first.inertia + first.mass * first.centre**2 + reach * first.length
    m11_T = about_first + about_second + 2 * coupling_T
    m12_T = about_second + coupling_T

    twist_T = reach * second.centre * q2_T.sin()
    hanging_T = second.mass * second.centre * GRAVITY * (q1_T + q2_T).cos()
    lifting_T = (first.mass * first.centre + reach) * GRAVITY * q1_T.cos() + hanging_T
    f1_T = torque_T2[:, 0] + twist_T * (2 * v1_T + v2_T) * v2_T - lifting_T
    f2_T = torque_T2[:, 1] - twist_T * v1_T**2 - hanging_T

    determinant_T = m11_T * about_second - m12_T**2
    a1_T = (about_second * f1_T - m12_T * f2_T) / determinant_T
    a2_T = (m11_T * f2_T - m12_T * f1_T) / determinant_T
    return torch.stack([a1_T, a2_T], dim=1)


class RobotArm(pl.LightningDataModule):
    """States drawn uniformly from the box of LARGEST_2, with their accelerations.

    Args:
        train_cases: size of the training set; the paper's has 15,000.
        test_cases: size of the test set; the paper's has 5,000.
        links: the links of the arm, the one fixed to the ground first.
        seed: seed of the draw; the training set is drawn first.

    Raises:
        ValueError: for a size below 2, a negative seed, a number of links other than two, or a
            dimension of a link that is not positive.
    """

    version = 1  # increased when the same source would give different batches

    def __init__(
        self,
        train_cases: int = 3000,
        test_cases: int = 1000,
        links: Sequence[Link] = (Link(), Link()),
        seed: int = 0,
    ) -> None:
        super().__init__()
        for name, number in {"train_cases": train_cases, "test_cases": test_cases}.items():
            if number < 2:
                raise ValueError(f"data.{name}={number}: must be at least 2")
        if seed < 0:
            raise ValueError(f"data.seed={seed}: must not be negative")
        if len(links) != 2:
            raise ValueError(f"data.links={len(links)}: the arm has 2")
        for link in links:
            for name, size in asdict(link).items():
                if not size > 0:
                    raise ValueError(f"data.links.{name}={size:g}: must be positive")
        self.train_cases = train_cases
        self.test_cases = test_cases
        self.links = tuple(links)
        self.seed = seed

    def setup(self, stage: str | None = None) -> None:
        """Draw the cases, unless that has been done."""
        _ = self._sets

    @property
    def train(self) -> ArmBatch:
        """The training set."""
        return self._sets[0]

    @property
    def test(self) -> ArmBatch:
        """The test set."""
        return self._sets[1]

    def train_dataloader(self) -> Whole:
        """Return the training set, repeated without end."""
        return Whole(self.train, endless=True)

    def val_dataloader(self) -> Whole:
        """Return the test set, once."""
        return Whole(self.test, endless=False)

    @property
    def tokens_per_batch(self) -> int:
        """Number of cases in the training set."""
        return self.train_cases

    @property
    def content_hash(self) -> str:
        """SHA-256 of everything that determines the cases, except the seed."""
        sizes = [self.train_cases, self.test_cases]
        chosen = [sizes, [asdict(link) for link in self.links], LARGEST_2, GRAVITY]
        return hashlib.sha256(json.dumps(chosen).encode()).hexdigest()

    @cached_property
    def _sets(self) -> tuple[ArmBatch, ArmBatch]:
        """Both sets."""
        generator = torch.Generator().manual_seed(self.seed)
        shape = (self.train_cases + self.test_cases, 6)
        x_TD = 2 * torch.rand(*shape, generator=generator, dtype=torch.float64) - 1
        angle_T2, speed_T2, torque_T2 = (
            x_T2 * most for x_T2, most in zip(x_TD.split(2, 1), LARGEST_2.values(), strict=True)
        )
        target_TC = accelerations(angle_T2, speed_T2, torque_T2, self.links)
        known_TC = target_TC[: self.train_cases]
        target_TC = (target_TC - known_TC.mean(dim=0)) / known_TC.std(dim=0, correction=0)
        at = self.train_cases
        return ArmBatch(x_TD[:at], target_TC[:at]), ArmBatch(x_TD[at:], target_TC[at:])
