"""The simulated arm: its equations against mechanics, and the data derived from them."""

from functools import partial
from math import pi

import pytest
import torch
from torch import Tensor

from moebench.testing import DatasetContract
from reproductions.jordan_1994.robot_arm import GRAVITY, LARGEST_2, Link, RobotArm, accelerations

RODS = (Link(), Link())


def at_rest(*angles: float) -> Tensor:
    state = torch.zeros(3, 1, 2, dtype=torch.float64)
    state[0, 0] = torch.tensor(angles, dtype=torch.float64)
    return accelerations(*state, RODS)[0] / GRAVITY


def test_a_hanging_arm_stays_where_it_is() -> None:
    assert at_rest(-pi / 2, 0.0).abs().max() < 1e-12


def test_releasing_a_stretched_arm_by_hand() -> None:
    # M = [[8/3, 5/6], [5/6, 1/3]], its determinant 7/36; gravity pulls with 2 g and g / 2.
    assert at_rest(0.0, 0.0).tolist() == pytest.approx([-9 / 7, 12 / 7])


def test_a_torque_on_the_second_joint_turns_the_first_back_by_hand() -> None:
    state = torch.zeros(3, 1, 2, dtype=torch.float64)
    state[0] = torch.tensor([-pi / 2, 0.0], dtype=torch.float64)
    state[2, 0, 1] = 7 / 36
    assert accelerations(*state, RODS)[0].tolist() == pytest.approx([-5 / 6, 8 / 3])


def lagrangian(angle_2: Tensor, speed_2: Tensor, links: tuple[Link, Link]) -> Tensor:
    """Kinetic minus potential energy, from where the centres of mass are and how they move."""
    first, second = links

    def centres(angle_2: Tensor) -> Tensor:
        total_2 = torch.stack([angle_2[0], angle_2.sum()])
        points_22 = torch.stack([total_2.cos(), total_2.sin()], dim=1)
        elbow = first.length * points_22[0]
        return torch.stack([first.centre * points_22[0], elbow + second.centre * points_22[1]])

    place_22, velocity_22 = torch.func.jvp(centres, (angle_2,), (speed_2,))
    turning_2 = torch.stack([speed_2[0], speed_2.sum()])
    energy = torch.zeros((), dtype=torch.float64)
    for i, link in enumerate(links):
        energy = energy + link.mass * velocity_22[i].square().sum() / 2
        energy = energy + link.inertia * turning_2[i].square() / 2
        energy = energy - link.mass * GRAVITY * place_22[i, 1]
    return energy


def test_accelerations_obey_the_euler_lagrange_equation() -> None:
    links = (Link(1.3, 0.8, 0.3, 0.2), Link(0.7, 1.1, 0.6, 0.05))
    generator = torch.Generator().manual_seed(0)
    by_angle = torch.func.grad(lagrangian, argnums=0)
    by_speed = torch.func.grad(lagrangian, argnums=1)
    for _ in range(5):
        angle, speed, torque = 3 * torch.randn(3, 2, generator=generator, dtype=torch.float64)
        [found] = accelerations(angle[None], speed[None], torque[None], links)
        momentum = partial(by_speed, links=links)
        _, change = torch.func.jvp(momentum, (angle, speed), (speed, found))
        expected = change - by_angle(angle, speed, links)
        torch.testing.assert_close(expected, torque, rtol=1e-10, atol=1e-10)


def test_the_sets_have_the_requested_sizes() -> None:
    data = RobotArm(300, 200)
    data.setup()
    assert data.train.x_TD.shape == (300, 6)
    assert data.test.target_TC.shape == (200, 2)
    assert data.train.x_TD.dtype == data.train.target_TC.dtype == torch.float64
    assert data.train.x_TD.abs().max() <= 1
    assert data.train.x_TD.abs().max() > 0.99
    torch.testing.assert_close(data.train.target_TC.mean(0), torch.zeros(2).double())
    torch.testing.assert_close(data.train.target_TC.std(0, correction=0), torch.ones(2).double())
    assert data.tokens_per_batch == 300


def test_inputs_are_shares_of_the_largest() -> None:
    data = RobotArm(50, 10)
    state = [
        part * most
        for part, most in zip(data.train.x_TD.split(2, 1), LARGEST_2.values(), strict=True)
    ]
    found = accelerations(*state, RODS)
    found = (found - found.mean(0)) / found.std(0, correction=0)
    torch.testing.assert_close(found, data.train.target_TC)


def test_linear_regression_leaves_a_third_as_in_the_paper() -> None:
    train, test = RobotArm(3000, 1000).train, RobotArm(3000, 1000).test
    x, x_test = (torch.cat([of.x_TD, torch.ones(len(of.x_TD), 1)], 1) for of in (train, test))
    weights = torch.linalg.lstsq(x, train.target_TC).solution
    error = (x_test @ weights - test.target_TC).square().mean() / test.target_TC.square().mean()
    assert 0.28 < error < 0.36


def test_the_hash_covers_everything_but_the_seed() -> None:
    first, same, other = RobotArm(30, 20, seed=1), RobotArm(30, 20, seed=1), RobotArm(30, 20)
    assert torch.equal(first.train.x_TD, same.train.x_TD)
    assert first.content_hash == same.content_hash
    assert not torch.equal(first.train.x_TD, other.train.x_TD)
    assert first.content_hash == other.content_hash, "the seed is counted apart"
    hashes = {first.content_hash, RobotArm(31, 20, seed=1).content_hash}
    hashes |= {RobotArm(30, 20, (Link(), Link(mass=2.0)), seed=1).content_hash}
    assert len(hashes) == 3


def test_loaders_give_whole_sets() -> None:
    data = RobotArm(30, 20)
    batches = iter(data.train_dataloader())
    assert next(batches) is next(batches) is data.train
    assert list(data.val_dataloader()) == [data.test]
    assert list(data.val_dataloader()) == [data.test], "a second validation finds it again"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"train_cases": 1}, "data.train_cases=1: must be at least 2"),
        ({"test_cases": 0}, "data.test_cases=0: must be at least 2"),
        ({"seed": -1}, "data.seed=-1: must not be negative"),
        ({"links": (Link(),)}, "data.links=1: the arm has 2"),
        ({"links": (Link(), Link(mass=0.0))}, "data.links.mass=0: must be positive"),
        ({"links": (Link(length=float("nan")), Link())}, "data.links.length=nan: must be positive"),
    ],
)
def test_bad_sizes_are_refused(changes: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=f"^{says}$"):
        RobotArm(**changes)


class TestContract(DatasetContract):
    """No configuration uses these data, so they are not in the registry."""

    def make(self, seed: int) -> RobotArm:
        return RobotArm(30, 20, seed=seed)
