"""The runs of Table 1 of Jacobs et al. 1991, all at once or one after the other in NumPy.

Both start from the same weights and train until the same criterion. The time of the runs side by
side is that of a whole `fit`: Lightning, setup, and compaction as runs end. The NumPy loop is what
one would write for a single run. Run: `python -m reproductions.jacobs_1991.benchmark`.
"""

import logging
from collections.abc import Callable
from functools import partial

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray

from benchmarks.command import number_of_rounds, one_line, parser, whole_number
from benchmarks.timing import in_turn, ratios, save, table
from reproductions.jacobs_1991.networks import BackProp, Likelihood, Mixture
from reproductions.jacobs_1991.networks.system import Weights
from reproductions.jacobs_1991.replica_training import ReplicaTraining
from reproductions.jacobs_1991.vowels import Vowels

Array = NDArray[np.float64]

CRITERION, MOST = 0.08, 15000  # mean squared error; epochs
SYSTEMS: dict[str, tuple[Mixture | BackProp, float]] = {  # and the step size
    "4 experts": (Mixture(4, Likelihood()), 8.0),
    "8 experts": (Mixture(8, Likelihood()), 8.0),
    "6 hidden": (BackProp(6), 5.0),
    "12 hidden": (BackProp(12), 5.0),
}


def logistic(z: Array) -> Array:
    """Return 1 / (1 + exp(-z))."""
    return 1 / (1 + np.exp(-z))


def softmax(z_TE: Array) -> Array:
    """Return shares that sum to one in each row."""
    share_TE: Array = np.exp(z_TE - z_TE.max(axis=1, keepdims=True))
    share_TE /= share_TE.sum(axis=1, keepdims=True)
    return share_TE


def train_mixture(x_TD: Array, target_T: Array, weights: dict[str, Array], step: float) -> int:
    """Return the number of epochs that one mixture needs with the likelihood error."""
    expert_DE, gate_DE = weights["expert"][:, 0].T.copy(), weights["gate"].T.copy()
    rate = step / len(x_TD)
    for epoch in range(MOST):
        output_TE, score_TE = logistic(x_TD @ expert_DE), x_TD @ gate_DE
        gate_TE = softmax(score_TE)
        missed_T = (gate_TE * output_TE).sum(axis=1) - target_T
        if missed_T @ missed_T / len(x_TD) <= CRITERION:
            return epoch
        miss_TE = output_TE - target_T[:, None]
        posterior_TE = softmax(score_TE - miss_TE * miss_TE / 2)
        to_logit_TE = posterior_TE * miss_TE * output_TE * (1 - output_TE)
        expert_DE -= rate * (x_TD.T @ to_logit_TE)
        gate_DE -= rate * (x_TD.T @ (gate_TE - posterior_TE))
    return MOST


def train_network(x_TD: Array, target_T: Array, weights: dict[str, Array], step: float) -> int:
    """Return the number of epochs that one network needs with half the squared error."""
    hidden_DH, output_H = weights["hidden"].T.copy(), weights["output"][0].copy()
    rate = step / len(x_TD)
    for epoch in range(MOST):
        hidden_TH = logistic(x_TD @ hidden_DH)
        answer_T = logistic(hidden_TH @ output_H[:-1] + output_H[-1])
        missed_T = answer_T - target_T
        if missed_T @ missed_T / len(x_TD) <= CRITERION:
            return epoch
        to_logit_T = missed_T * answer_T * (1 - answer_T)
        back_TH = to_logit_T[:, None] * output_H[:-1] * hidden_TH * (1 - hidden_TH)
        output_H[:-1] -= rate * (to_logit_T @ hidden_TH)
        output_H[-1] -= rate * to_logit_T.sum()
        hidden_DH -= rate * (x_TD.T @ back_TH)
    return MOST


def one_by_one(system: Mixture | BackProp, step: float, seeds: int, data: Vowels) -> list[int]:
    """Return the epochs of each run, trained in NumPy one after the other."""
    start: Weights = system.init(range(seeds), 0.5, features=2, outputs=1)
    x_TD = np.column_stack([data.train.x_TD.numpy(), np.ones(data.tokens_per_batch)])
    target_T = data.train.target_TC[:, 0].numpy()
    train = train_mixture if isinstance(system, Mixture) else train_network
    return [
        train(x_TD, target_T, {name: weight[seed].numpy() for name, weight in start.items()}, step)
        for seed in range(seeds)
    ]


def side_by_side(system: Mixture | BackProp, step: float, seeds: int, data: Vowels) -> list[int]:
    """Return the epochs of each run, all trained at once by moebench."""
    torch.manual_seed(0)
    model = ReplicaTraining(system, [step], 0.5, seeds, CRITERION, MOST)
    trainer = pl.Trainer(
        accelerator="cpu",
        max_steps=-1,
        limit_val_batches=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(model, datamodule=data)
    return [int(epochs) for epochs in model.results()["epochs"]]


@one_line
def main() -> None:
    """Time, print, and append to results.jsonl."""
    made = parser("reproductions.jacobs_1991.benchmark", __doc__)
    made.add_argument("--rounds", type=number_of_rounds, default=3)
    made.add_argument("--seeds", type=whole_number(), default=25)
    made.add_argument("--save", action="store_true", help="append to benchmarks/results.jsonl")
    options = made.parse_args()
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    data, rows = Vowels(coding="anti", order=1), {}
    totals = {"one by one": [0.0] * options.rounds, "side by side": [0.0] * options.rounds}
    for name, (system, step) in SYSTEMS.items():
        cases: dict[str, Callable[[], list[int]]] = {
            way: partial(run, system, step, options.seeds, data)
            for way, run in (("one by one", one_by_one), ("side by side", side_by_side))
        }
        means = {way: float(np.mean(run())) for way, run in cases.items()}
        print(f"{name}: mean epochs {means}", flush=True)
        seconds = in_turn(cases, options.rounds)
        rows[name] = ratios(seconds, against="one by one")["side by side"]
        for way, total in totals.items():
            totals[way] = [sum(pair) for pair in zip(total, seconds[way], strict=True)]
    rows["Table 1"] = ratios(totals, against="one by one")["side by side"]
    print(table("time per run, side by side over one by one in NumPy", rows))
    if options.save:
        save("vowel", {**vars(options), "threads": torch.get_num_threads()}, rows)


if __name__ == "__main__":
    main()
