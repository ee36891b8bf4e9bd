"""What each part promises: an answer that breaks a promise is told in words."""

from dataclasses import replace

import pytest
import torch

from moebench.models.output import Output
from moebench.moe.decision import tokens_choose
from moebench.run.promises import PROMISES

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
