"""The dense twin is dense, and equal in the cost it was asked to equal."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from pytorch_lightning.callbacks import Timer
from torch import nn

from moebench.experiment import Experiment, load
from moebench.experiment.dense_twin import dense, solve, twin
from moebench.experiment.dense_twin import training_flops as work
from moebench.experiment.dense_twin.training_flops import (
    TrainingSetup,
    _rows,
    _trained,
    flops_per_token,
    rows_are_fixed,
    training_setup,
)
from moebench.run.job import Job
from moebench.run.worker import execute
from moebench.training.cost import count_batch

CONFIGS = Path(__file__).parents[2] / "configs" / "tiny_2026"


def arguments(experiment: Experiment) -> dict[str, Any]:
    return experiment.config["model"]["network"]["init_args"]


def test_solve_finds_the_width_on_a_straight_line() -> None:
    assert solve(lambda width: 100 + 3 * width, target=100 + 3 * 640, start=512) == (640, 2020)
    for target, nearest in ((519, 512), (521, 528), (0, 16)):  # no block without a width
        assert solve(lambda width: 5 * width, 5 * target, start=64) == (nearest, 5 * nearest)
    assert solve(lambda width: 5 * width, target=160, start=4) == (32, 160)


def test_a_clock_by_which_wider_is_faster_draws_no_line() -> None:
    """Of the two widths timed the nearer one is taken."""
    assert solve(lambda width: 100 - width, target=50, start=64) == (64, 36)
    assert solve(lambda width: 7, target=50, start=64) == (64, 7)


def test_a_twin_has_no_mixture_and_all_else_alike(tiny) -> None:
    sparse = tiny("switch_8.yaml", seed=3)
    made = dense(sparse, 64)
    assert arguments(made)["sparse"] is None
    assert made.config["data"] == sparse.config["data"]
    assert made.config["trainer"] == sparse.config["trainer"]
    assert made.config["seed_everything"] == 3


def test_points_that_differ_in_routing_alone_have_one_twin(tiny) -> None:
    sparse = tiny("switch_8.yaml")

    def other(**model: object) -> Experiment:
        config = dict(sparse.config)
        return dense(Experiment({**config, "model": {**config["model"], **model}}), 64)

    first, second = other(router_rate=0.1), other(losses=[])
    assert first.config["model"]["losses"] is None
    assert first.hash == second.hash
    assert other(warmup_steps=7).hash != first.hash


def test_the_twin_of_a_recurrent_model_is_a_wide_expert() -> None:
    """Four experts of 64 at work for a token are as many features as one of 256."""
    small = {"data.init_args.batch_size": 4, "data.init_args.valid_batches": 1}
    mixture, wide = (
        load([CONFIGS / "recall.yaml", CONFIGS / name], small)
        for name in ("lstm.yaml", "lstm_wide.yaml")
    )
    made = arguments(twin(mixture, "total_params").experiment)["middle"]
    gates = 2 * 16 * 32  # two matrices of 32 features and 16 experts
    features = 16 * 64 + gates / (2 * 32)
    assert made["init_args"] == {"hidden": round(features / 16) * 16, "layers": 1}
    assert made["class_path"] == "moebench.models.lstm.SingleExpert"
    written = arguments(wide)["middle"]
    assert written == {**made, "init_args": {"hidden": 4 * 64, "layers": 1}}
    assert arguments(dense(mixture, 4 * 64)) == {**arguments(mixture), "middle": written}


def test_dense_without_a_mixture_is_refused(tiny) -> None:
    with pytest.raises(ValueError, match="no mixture"):
        dense(tiny("dense.yaml"), 64)


OWN = """
from torch import nn
from moebench.models.contract import DenseTwin

class Silent(nn.Module):
    pass

class Own(nn.Module):
    @staticmethod
    def dense_twin(arguments):
        if not arguments["parts"]:
            return None
        return DenseTwin(lambda hidden: {"parts": 0, "wide": hidden}, 32)
"""


def test_a_custom_model_declares_its_twin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_models.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)

    def twin_of(name: str, **arguments: int) -> Experiment:
        network = {"class_path": f"own_models.{name}", "init_args": arguments}
        return dense(Experiment({"model": {"network": network, "router_rate": 0.5}}), 64)

    made = twin_of("Own", parts=4, wide=16).config["model"]
    assert made["network"] == {
        "class_path": "own_models.Own",
        "init_args": {"parts": 0, "wide": 64},
    }
    assert made["router_rate"] == 1.0
    with pytest.raises(ValueError, match=r"network=own_models.Own: has no mixture"):
        twin_of("Own", parts=0)
    described = "network=own_models.Silent: has no dense_twin, see moebench/models/contract.py"
    with pytest.raises(ValueError, match=described):
        twin_of("Silent")
    with pytest.raises(ValueError, match="network=none: has no dense_twin"):
        dense(Experiment({"model": {"class_path": "theirs.Module"}}), 64)


def test_a_dense_configuration_of_equal_cost_is_the_twin(tiny) -> None:
    made, written = twin(tiny("switch_8.yaml"), "active_flops").experiment, tiny("dense.yaml")
    costs = []
    for experiment in (made, written):
        model, data, _ = experiment.build(logger=False)
        data.setup("fit")
        costs.append(count_batch(model.eval().network, next(iter(data.val_dataloader()))))
    assert costs[0] == costs[1]


GREEDY = '''
import torch
from torch import nn
from moebench.moe.decision import RoutingDecision
from moebench.moe.routers.score import Score

class Greedy(nn.Module):
    """Experts choose their tokens: all of them, to begin with."""

    def __init__(self, dim: int, num_experts: int) -> None:
        super().__init__()
        self.num_experts = num_experts
        self.score = Score(dim, num_experts)
        nn.init.zeros_(self.score.weight)
        self.bias_E = nn.Parameter(torch.full((num_experts,), 0.1))

    def forward(self, x_TD):
        logits_TE = self.score(x_TD) + self.bias_E
        token_A, expert_A = (logits_TE > 0).nonzero(as_tuple=True)
        return RoutingDecision(
            logits_TE=logits_TE,
            probs_TE=logits_TE.softmax(dim=-1),
            token_A=token_A,
            expert_A=expert_A,
            weight_A=logits_TE[token_A, expert_A],
            kept_A=torch.ones_like(token_A, dtype=torch.bool),
        )

class Fewer(nn.Module):
    """Makes them choose fewer."""

    def forward(self, decision):
        return decision.logits_TE.mean()
'''


def with_router(
    tiny, class_path: str, settings: Mapping[str, object] | None = None, **arguments: object
) -> Experiment:
    """The small model with 16 experts of 64 in its second block."""
    sparse = {
        "router": {"class_path": class_path, "init_args": {"num_experts": 16, **arguments}},
        "experts": {"class_path": "ReluMLP", "init_args": {"hidden": 64}},
        "dispatcher": "Grouped",
    }
    given = {"model.network.init_args.sparse": sparse, "trainer.max_steps": 40}
    return tiny("dense.yaml", given | dict(settings or {}))


def test_a_router_is_counted_as_it_is_in_training(tiny, tmp_path: Path) -> None:
    """In evaluation, untrained thresholds let 7 experts have a token that 4 have in training."""
    mixture = with_router(tiny, "Batchwise", k=4)
    made = twin(mixture, "active_flops")
    four_experts_and_their_gate = 4 * 64 + 16 / 2
    assert abs(made.width - (256 + four_experts_and_their_gate) / 2) <= 8
    records = [
        execute(Job("target", "profile", "arm", 0, one, tmp_path / name), [])
        for name, one in (("mixture", mixture), ("twin", made.experiment))
    ]
    [planned] = made.planned.values()
    for record in records:
        assert record.flops_per_token == pytest.approx(planned, rel=0.05)


def test_rows_that_are_learnt_are_counted_after_some_steps(tiny, tmp_path, monkeypatch) -> None:
    (tmp_path / "their_greedy.py").write_text(GREEDY)
    monkeypatch.syspath_prepend(tmp_path)
    fewer = {"loss": {"class_path": "their_greedy.Fewer"}, "weight": 1.0}
    greedy = with_router(tiny, "their_greedy.Greedy", {"model.losses": [fewer]})
    made = training_setup(greedy)
    [rows] = _rows(made.model.network, made.batches[0])
    assert rows < 15, "as it began it was 16"
    record = execute(Job("target", "profile", "arm", 0, greedy, tmp_path / "run"), [])
    assert record.flops_per_token == pytest.approx(flops_per_token(made), rel=0.05)


def test_flops_are_means_over_batches(tiny) -> None:
    model, _, trainer = tiny("dense.yaml").build(logger=False)
    short, long = (
        SimpleNamespace(input_BL=torch.zeros(2, length, dtype=torch.long), context_BL=None)
        for length in (4, 16)
    )
    both, *each = (
        flops_per_token(TrainingSetup(model, trainer, of))
        for of in ([short, long], [short], [long])
    )
    assert each[0] < each[1], "of scores between more tokens"
    assert both == sum(each) / 2


class Asked(nn.Module):
    """Stands in for a network whose routers request as many rows as the batch says."""

    def forward(self, rows: int) -> SimpleNamespace:
        return SimpleNamespace(decisions=[SimpleNamespace(token_A=torch.empty(rows), num_tokens=2)])


def test_rows_that_depend_on_the_batch_are_not_fixed() -> None:
    assert rows_are_fixed(Asked(), 4, 4)
    assert not rows_are_fixed(Asked(), 4, 6)


@pytest.mark.parametrize(("longest", "steps"), [(-1, 3), (2, 2), (4, 3)])
def test_training_before_a_count_is_short_and_unwatched(
    longest: int, steps: int, tiny, monkeypatch
) -> None:
    monkeypatch.setattr(work, "STEPS", 3)
    watch = {"class_path": "pytorch_lightning.callbacks.Timer"}
    more = {"trainer.max_steps": longest, "trainer.callbacks": [watch]}
    more |= {"trainer.max_epochs": 1} if longest < 0 else {}
    _, trainer = _trained(tiny("dense.yaml", more))
    assert trainer.global_step == steps
    assert not any(isinstance(one, Timer) for one in trainer.callbacks)


def test_a_twin_leaves_the_mixture_as_it_was(tiny) -> None:
    mixture = tiny("switch_8.yaml")
    before = mixture.hash
    assert dense(mixture, 48).hash != before
    assert mixture.hash == tiny("switch_8.yaml").hash
    assert mixture.config["model"]["network"]["init_args"]["shape"]["hidden"] != 48
