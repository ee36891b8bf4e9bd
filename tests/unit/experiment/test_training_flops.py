"""What a dense twin is to equal: the work of the mixture as it is in training."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from pytorch_lightning.callbacks import Timer
from torch import nn

from moebench.experiment import Experiment
from moebench.experiment.dense_twin import training_flops as work
from moebench.experiment.dense_twin import twin
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
