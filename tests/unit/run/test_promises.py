"""What each part promises: an answer that breaks a promise is told in words."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torch

from moebench.data.contract import UNSCORED, TextBatch
from moebench.data.synthetic import Synthetic
from moebench.experiment import ConfigurationError, load
from moebench.models.output import Output
from moebench.moe.decision import tokens_choose
from moebench.run.first_step import try_first_step
from moebench.run.promises import PROMISES, ids_in_vocabulary

CONFIGS = Path(__file__).parents[2] / "configs" / "tiny_2026"
X_TD = torch.ones(4, 2)
BROKEN = X_TD / 0
CHOICE = tokens_choose(X_TD, X_TD.softmax(-1), torch.zeros(4, 1, dtype=torch.int64), X_TD[:, :1])


@pytest.mark.parametrize(
    ("part", "given", "answer", "words"),
    [
        ("dispatcher", X_TD, (X_TD, CHOICE), "answers with tuple; must be a Tensor of the shape"),
        ("dispatcher", X_TD, BROKEN, "answers with numbers that are not finite"),
        ("dispatcher", BROKEN, BROKEN, ""),  # it was given them
        ("dispatcher", X_TD, X_TD.double(), "answers in torch.float64; must be torch.float32"),
        ("dispatcher", X_TD, X_TD, ""),
        ("loss", CHOICE, 1.0, "answers with float; must be a Tensor of the shape ()"),
        ("loss", CHOICE, BROKEN.mean(), "answers with inf; must be a finite number"),
        ("loss", CHOICE, X_TD.mean(), ""),
        ("router", X_TD, replace(CHOICE, weight_A=BROKEN), "weights that are not finite"),
        ("router", X_TD, replace(CHOICE, expert_A=CHOICE.expert_A + 2), "of 2 to 2; must be from"),
        ("router", X_TD, replace(CHOICE, token_A=CHOICE.token_A - 1), "token_A of -1 to 2; must"),
        ("router", X_TD, CHOICE, ""),
        ("network", None, Output(BROKEN, []), "predicts numbers that are not finite"),
    ],
)
def test_promises(part: str, given: object, answer: object, words: str) -> None:
    wrong = PROMISES[part](given, answer)
    assert words in wrong
    assert bool(words) == bool(wrong)


def batch(**ids: list[int]) -> TextBatch:
    """One sequence, all of whose ids are 0 but those given."""
    tensors = {name: torch.tensor([row]) for name, row in ids.items()}
    zeros_BL = torch.zeros(1, 2, dtype=torch.int64)
    return TextBatch(zeros_BL, zeros_BL, None, torch.zeros(1))._replace(**tensors)


@pytest.mark.parametrize("name", ["input_BL", "target_BL", "context_BL"])
def test_ids_outside_the_vocabulary_are_refused(name: str) -> None:
    network, data = torch.nn.Identity(), SimpleNamespace(vocabulary=5)
    with ids_in_vocabulary(network, data):
        network(batch(**{name: [0, 4]}))
        network(batch(target_BL=[UNSCORED, 4]))
        for ids in ([0, 5], [-1, 4]):
            with pytest.raises(ConfigurationError, match=f"{name} of a batch has ids of .* to 4, "):
                network(batch(**{name: ids}))
    network(batch(**{name: [0, 5]}))


class Shifted(Synthetic):
    """Somebody's data, whose validation ids lie behind the vocabulary."""

    def val_dataloader(self) -> Iterator[TextBatch]:
        return (
            one._replace(input_BL=one.input_BL + self.vocabulary)
            for one in super().val_dataloader()
        )


def test_the_first_step_refuses_ids_outside_the_vocabulary(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of validation too."""
    module = ModuleType("shifted")
    module.Shifted = Shifted
    monkeypatch.setitem(sys.modules, "shifted", module)
    monkeypatch.setattr(Shifted, "__module__", "shifted")
    world = {"world": {"class_path": "Uniform", "init_args": {"size": 4}}}
    small = {**world, "length": 4, "batch_size": 2, "valid_batches": 1}
    data = {"data": {"class_path": "shifted.Shifted", "init_args": small}}
    trainer = {
        "trainer.accelerator": "cpu",
        "trainer.max_steps": 1,
        "trainer.val_check_interval": 1,
    }
    experiment = load([CONFIGS / "switch_8.yaml", CONFIGS / "recall.yaml"], {**data, **trainer})
    with pytest.raises(ConfigurationError, match=r"^data=Shifted: input_BL of a batch has ids of "):
        try_first_step(experiment)
