"""Whatever it is made of, a run killed three times ends with the bits of one that was not."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from moebench.data.contract import TextBatch
from moebench.data.objectives import NextToken, SpanCorruption
from moebench.data.sources import Files
from moebench.data.synthetic import Recall, Sources, Synthetic, Uniform
from moebench.data.text import Text
from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import read_history
from moebench.experiment import Experiment
from moebench.models import Decoder, EncoderDecoder
from moebench.models.t5_blocks import Shape
from moebench.moe import Sparse
from moebench.moe.capacity.limit import Capacity, Limited
from moebench.moe.decision import RoutingDecision
from moebench.moe.experts import ReluMLP
from moebench.moe.losses import StepLoadBalance, ThresholdGap
from moebench.moe.routers import (
    ROUTERS,
    WRAPPERS,
    BalancedHash,
    Batchwise,
    BiasBalanced,
    GShard,
    GumbelSoftmax,
    HardGumbelSoftmax,
    Hierarchical,
    InputDropout,
    NoisyTopK,
    Random,
    Reinforce,
    Sampled,
    ScaledTopK,
    SigmoidTopK,
    StraightThrough,
    Switch,
    Tempered,
)
from moebench.papers.defaults import TRAINER_DEFAULTS
from moebench.run.job import Job
from moebench.run.resumable import kept
from moebench.run.worker import execute
from moebench.training.module import Training, Weighted

STEPS, V, E = 8, 300, 4


class Killed(BaseException):
    """What no handler of failures catches, as a kill."""


class Kill(pl.Callback):
    """Ends a process while it is in its n-th batch, before that has had any effect on disk."""

    def __init__(self, batch: int) -> None:
        self.batch = batch

    def on_train_batch_end(self, trainer: pl.Trainer, *_: object) -> None:
        if trainer.fit_loop.total_batch_idx + 1 == self.batch:
            raise Killed


@dataclass(frozen=True, kw_only=True)
class Made(Experiment):
    """An experiment out of objects: what a configuration comes to, without the time to read one."""

    model: Callable[[], pl.LightningModule]
    batches: Callable[[], pl.LightningDataModule]
    trainer: Mapping[str, Any]
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def hash(self) -> str:
        return "made"

    def build(self, **of_this_run: Any) -> tuple[Any, Any, pl.Trainer]:
        pl.seed_everything(0, verbose=False)
        data, model = self.batches(), self.model()
        return model, data, pl.Trainer(**{**TRAINER_DEFAULTS, **self.trainer, **of_this_run})


def made(
    model: Callable[[], pl.LightningModule],
    batches: Callable[[], pl.LightningDataModule],
    options: Mapping[str, Any],
) -> Made:
    return Made(model=model, batches=batches, trainer=options)


def trainer(accumulate: int, **more: Any) -> dict[str, Any]:
    return {
        "max_steps": STEPS,
        "accumulate_grad_batches": accumulate,
        "val_check_interval": 2 * accumulate,
        "log_every_n_steps": 1,
        "accelerator": "cpu",
        **more,
    }


def of(experiment: Made, folder: Path, *callbacks: pl.Callback) -> RunRecord:
    job = Job("target", "profile", "arm", 0, experiment, folder, keep_weights=True)
    record = execute(job, list(callbacks))
    error = job.folder / "error.txt"
    assert record.status == "finished", error.read_text() if error.exists() else ""
    return record


def remains(folder: Path, record: RunRecord) -> tuple[object, ...]:
    """What must not depend on kills: the record, the history, and all weights and moments."""
    lines = read_history(folder / "history.jsonl")
    timeless = [
        {k: v for k, v in line.items() if k not in {"time", "seconds/step"}} for line in lines
    ]
    saved = torch.load(folder / "last.ckpt", weights_only=True)
    tensors = [*saved["state_dict"].values()]
    for state in saved["optimizer_states"][0]["state"].values():
        tensors += [value for value in state.values() if isinstance(value, Tensor)]
    bits = [t.double().numpy().tobytes() for t in tensors if isinstance(t, Tensor)]
    return record.steps, record.tokens, dict(record.metrics), timeless, bits


def assert_same_whenever_killed(experiment: Made, folder: Path, resumes: bool = True) -> None:
    """Kill it before its first checkpoint, between two, and in the middle of an accumulation."""
    accumulate = experiment.trainer["accumulate_grad_batches"]
    kills = (1, 3 * accumulate, 6 * accumulate + 1)
    assert_same_if_killed(experiment, folder, *kills, resumes=resumes)


def assert_same_if_killed(
    experiment: Made, folder: Path, *batches: int, resumes: bool = True
) -> None:
    """Kill it in these batches, one attempt after the other; it resumes, or begins again."""
    whole = remains(folder / "whole", of(experiment, folder / "whole"))
    for batch in batches:
        with pytest.raises(Killed):
            of(experiment, folder / "killed", Kill(batch))
    checkpoint = folder / "killed" / "last.ckpt"
    assert checkpoint.exists(), "nothing was interrupted in the middle"
    assert (kept(checkpoint).steps > 0) == resumes
    killed = remains(folder / "killed", of(experiment, folder / "killed"))
    for one, other in zip(killed, whole, strict=True):
        assert one == other


def switch(dim: int) -> nn.Module:
    return Limited(dim, lambda d: Switch(d, E), Capacity(1.25))


def training(
    router: Callable[[int], nn.Module] = switch, network: Callable[..., nn.Module] = Decoder
) -> Training:
    loss = ThresholdGap() if router is ROUTER["batchwise"] else StepLoadBalance()
    sparse = Sparse(router, lambda d, e: ReluMLP(d, e, 8), every=1)
    shape = Shape(width=8, layers=1, heads=2, hidden=16)
    made = partial(network, shape=shape, sparse=sparse, dropout=0.1)
    return Training(V, made, [Weighted(loss, 0.1)], warmup_steps=4)


class Remembers(nn.Module):
    """A router with a state that no optimiser touches: it favours who was chosen least so far."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.num_experts = E
        self.score = nn.Linear(dim, E, bias=False)
        self.register_buffer("load_E", torch.zeros(E))

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        logits_TE = self.score(x_TD) - 0.1 * self.load_E
        probs_TE = logits_TE.softmax(dim=-1)
        weight_A, expert_A = probs_TE.max(dim=-1)
        token_A = torch.arange(len(x_TD))
        return RoutingDecision(
            logits_TE=logits_TE,
            probs_TE=probs_TE,
            token_A=token_A,
            expert_A=expert_A,
            weight_A=weight_A,
            kept_A=torch.ones_like(token_A, dtype=torch.bool),
        )

    def update(self, decisions: Sequence[RoutingDecision]) -> None:
        for decision in decisions:
            self.load_E += decision.expert_A.bincount(minlength=E) / decision.num_tokens


ROUTER: dict[str, Callable[[int], nn.Module]] = {
    "balanced_hash": lambda d: BalancedHash(d, E, counted=4),
    "batchwise": lambda d: Batchwise(d, E),
    "bias_balanced": lambda d: BiasBalanced(d, lambda w: SigmoidTopK(w, E, 2), rate=0.1),
    "bias_by_error": lambda d: BiasBalanced(
        d, lambda w: ScaledTopK(w, E, 2), rate=0.1, rule="error", rates={2: 0.01}
    ),
    "gshard": lambda d: GShard(d, E),
    "gumbel_softmax": lambda d: GumbelSoftmax(d, E, rate=0.5),
    "hard_gumbel_softmax": lambda d: HardGumbelSoftmax(d, E, rate=0.5),
    "hierarchical": lambda d: Hierarchical(d, E, 2, lambda a, b: NoisyTopK(a, b, 1), Switch),
    "input_dropout": lambda d: InputDropout(d, switch),
    "noisy_top_k": lambda d: NoisyTopK(d, E),
    "random": lambda d: Random(d, E),
    "random_priority": lambda d: Limited(
        d, lambda w: Switch(w, E), Capacity(1.0, priority="random")
    ),
    "reinforce": lambda d: Reinforce(d, E),
    "remembers": Remembers,
    "sampled": lambda d: Sampled(d, E),
    "straight_through": lambda d: StraightThrough(d, E, sampled=True),
    "switch": switch,
    "tempered": lambda d: Tempered(d, switch, 2.0),
}
CALM = {  # decide from weights and tokens alone: nothing that a checkpoint could forget
    "all_experts",
    "balanced_assignment",
    "biased_top_k",
    "expert_choice",
    "group_limited",
    "hash_table",
    "hashed",
    "limited",
    "scaled_top_k",
    "sigmoid_top_k",
    "sinkhorn",
    "softmax_top_k",
    "top_k",
}


def test_every_router_with_a_state_or_noise_is_here() -> None:
    assert {*ROUTERS, *WRAPPERS} - CALM <= set(ROUTER)


def synthetic(world: Any = None, **more: Any) -> Synthetic:
    return Synthetic(
        world or Uniform(8), V, **{"length": 8, "batch_size": 4, "valid_batches": 1, **more}
    )


@pytest.mark.parametrize("name", ROUTER)
def test_every_router_with_a_state_or_noise(name: str, tmp_path: Path) -> None:
    """Killed once: when else a run may be killed is no matter of its router."""
    options = trainer(accumulate=1, max_steps=4)
    assert_same_if_killed(made(lambda: training(ROUTER[name]), synthetic, options), tmp_path, 3)


class Endless(IterableDataset):
    """A user's own data without a length or a place: ids that follow one another."""

    def __iter__(self) -> Iterator[Tensor]:
        for start in range(10**6):
            yield (torch.arange(9) * (start + 1)) % 7


class Theirs(pl.LightningDataModule):
    """A user's own data: a DataLoader over `dataset`, as every tutorial has it."""

    tokens_per_batch, content_hash = 32, "theirs"

    def __init__(self, dataset: Any, shuffle: bool | None) -> None:
        super().__init__()
        self.dataset, self.shuffle = dataset, shuffle

    def train_dataloader(self) -> Any:
        return DataLoader(self.dataset, 4, self.shuffle, collate_fn=as_batch)

    def val_dataloader(self) -> Any:
        return synthetic().val_dataloader()


class Streams(pl.LightningDataModule):
    """A user's own data whose loader knows its place, and has no end."""

    tokens_per_batch, content_hash = 32, "streams"

    def train_dataloader(self) -> Any:
        return Stream()

    def val_dataloader(self) -> Any:
        return synthetic().val_dataloader()


class Stream:
    """Batches that know how many of them have been handed out."""

    def __init__(self) -> None:
        self.given = 0

    def __iter__(self) -> Iterator[TextBatch]:
        while True:
            self.given += 1
            yield as_batch([(torch.arange(9) * self.given + row) % 8 for row in range(4)])

    def state_dict(self) -> dict[str, int]:
        return {"given": self.given}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.given = state["given"]


def as_batch(rows: list[Any]) -> TextBatch:
    ids_BW = torch.stack([row[0] if isinstance(row, tuple) else row for row in rows])
    domain_B = torch.zeros(len(ids_BW), dtype=torch.long)
    return TextBatch(ids_BW[:, :-1], ids_BW[:, 1:], None, domain_B)


def text(path: Path, objective: Any) -> Text:
    return Text(Files(str(path)), objective, V, length=16, batch_size=4, valid_batches=1)


DATA: dict[str, Callable[[], pl.LightningDataModule]] = {
    "uniform": synthetic,
    "sources": lambda: synthetic(Sources(2, 8, 2, 4)),
    "recall": lambda: synthetic(Recall(16, 8, 8)),
    "endless_of_theirs": lambda: Theirs(Endless(), None),
    "shuffled_of_theirs": lambda: Theirs(TensorDataset(torch.arange(360).view(40, 9) % 8), True),
    "stream_of_theirs": Streams,
}


@pytest.mark.parametrize(
    ("name", "accumulate"), [*((name, 2) for name in DATA), ("shuffled_of_theirs", 1)]
)
def test_every_data_module_of_tokens(name: str, accumulate: int, tmp_path: Path) -> None:
    """Their own begin again: they lack a place, or a length."""
    experiment = made(training, DATA[name], trainer(accumulate))
    assert_same_whenever_killed(experiment, tmp_path, resumes=not name.endswith("_of_theirs"))


class Steps(pl.LightningModule):
    """A user's own module that steps its optimiser itself, every third batch.

    Lightning would drop the gradients that wait for a step when a validation comes between.
    """

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.scores = nn.Sequential(nn.Embedding(V, 8), nn.Dropout(0.1), nn.Linear(8, V))

    def loss(self, batch: TextBatch) -> Tensor:
        scores_TV = self.scores(batch.input_BL).flatten(0, 1)
        return nn.functional.cross_entropy(scores_TV, batch.target_BL.flatten())

    def training_step(self, batch: TextBatch, batch_idx: int) -> None:
        loss = self.loss(batch)
        self.log("train/loss", loss)
        self.manual_backward(loss)
        if (batch_idx + 1) % 3 == 0:
            optimizer = self.optimizers()
            optimizer.step()
            optimizer.zero_grad()

    def validation_step(self, batch: TextBatch, batch_idx: int) -> None:
        self.log("valid/loss", self.loss(batch))

    def on_validation_model_zero_grad(self) -> None:
        """Keep them."""

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=0.01)


@pytest.mark.parametrize("interval", [3, 4])
def test_a_module_that_steps_by_itself(interval: int, tmp_path: Path) -> None:
    """Saved just after a step, or while gradients wait for one."""
    options = trainer(accumulate=1, val_check_interval=interval, max_steps=4)
    assert_same_whenever_killed(made(Steps, synthetic, options), tmp_path, resumes=interval == 3)


@pytest.mark.parametrize("precision", ["64-true", "bf16-true"])
def test_weights_of_another_precision(precision: str, tmp_path: Path) -> None:
    experiment = made(training, synthetic, trainer(accumulate=1, precision=precision))
    assert_same_whenever_killed(experiment, tmp_path)


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize(
    ("network", "objective"), [(Decoder, NextToken()), (EncoderDecoder, SpanCorruption())]
)
def test_text_over_the_end_of_an_epoch(
    network: Any,
    objective: Any,
    accumulate: int,
    small_text: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An epoch of five batches, the last of which may be an optimiser step of its own."""
    monkeypatch.setenv("MOEBENCH_CACHE", str(small_text.parent / "cache"))
    experiment = made(
        lambda: training(network=network),
        lambda: text(small_text, objective),
        trainer(accumulate, limit_train_batches=5),
    )
    assert_same_whenever_killed(experiment, tmp_path)
