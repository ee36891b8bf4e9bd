"""Worlds draw what they promise, and their floors are entropies computed another way."""

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from moebench.data.synthetic import WORLDS, Recall, Sources, Synthetic, Uniform
from moebench.data.synthetic.world import draw_rows, entropy
from moebench.experiment import ConfigurationError, load
from moebench.run.fork_server import context
from moebench.run.job import Job
from moebench.run.worker import execute

CONFIG = Path(__file__).parents[2] / "configs" / "tiny_2026" / "switch_8.yaml"


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("world", [make() for make in WORLDS.values()], ids=WORLDS)
def test_every_world_keeps_to_its_vocabulary_and_shape(world) -> None:
    ids, domain = world.draw(50, 33, rng())
    assert ids.shape == (50, 33)
    assert ids.min() >= 0
    assert ids.max() < world.vocabulary
    assert set(domain.tolist()) <= set(range(len(world.domains)))
    again, _ = type(world)().draw(50, 33, rng())
    assert (again == ids).all(), "equal arguments make equal worlds"
    assert 0 < world.floor(33) <= math.log(world.vocabulary)


def test_entropy_and_draws_by_hand() -> None:
    assert entropy(np.array([0.5, 0.5, 0.0])) == pytest.approx(math.log(2))
    assert entropy(np.array([1.0, 0.0])) == 0.0
    rows = np.tile([0.0, 0.25, 0.75, 0.0], (20_000, 1))
    found = np.bincount(draw_rows(rows, rng()), minlength=4) / len(rows)
    assert found == pytest.approx([0.0, 0.25, 0.75, 0.0], abs=0.01)


def test_uniform_has_the_entropy_of_its_size() -> None:
    assert Uniform(8).floor(5) == pytest.approx(3 * math.log(2))
    ids, _ = Uniform(8).draw(2000, 10, rng())
    assert np.bincount(ids.ravel()) / ids.size == pytest.approx([1 / 8] * 8, abs=0.01)


def test_sources_by_hand() -> None:
    # One successor a word: the chains are rings, and only the stock is uncertain.
    world = Sources(chains=2, words=5, successors=1, stock=4, share=0.5)
    assert world.floor(9) == pytest.approx(math.log(2) + 0.5 * math.log(4))
    ids, chain_B = world.draw(40, 30, rng())
    for row, chain in zip(ids, chain_B, strict=True):
        words = row[row >= 4] - 4 - 5 * chain
        assert row[0] >= 4, "the first token is a word"
        assert ((words >= 0) & (words < 5)).all(), "of the sequence's own chain"
        assert all(world.next_KWW[chain, a, b] > 0.999 for a, b in pairwise(words))
    assert (ids[:, 1:] < 4).mean() == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("skew", [0.0, 2.0])
def test_the_floor_of_sources_is_what_an_oracle_loses(skew: float) -> None:
    world = Sources(chains=3, words=6, successors=3, stock=2, share=0.3, skew=skew, seed=4)
    ids, chain_B = world.draw(3000, 21, rng(1))
    losses = []
    for row, chain in zip(ids, chain_B, strict=True):
        last = row[0] - 2 - 6 * chain
        for token in row[1:]:
            if token < 2:
                losses.append(-math.log(0.3 / 2))
            else:
                word = token - 2 - 6 * chain
                losses.append(-math.log(0.7 * world.next_KWW[chain, last, word]))
                last = word
    error = np.std(losses) / math.sqrt(len(losses))
    assert np.mean(losses) == pytest.approx(world.floor(21), abs=4 * error)
    shares = np.bincount(chain_B, minlength=3) / 3000
    weights = np.array([1, 2**-skew, 3**-skew])
    assert shares == pytest.approx(weights / weights.sum(), abs=0.03)
    rest = world.stationary_KW[0]
    assert rest @ world.next_KWW[0] == pytest.approx(rest)


def test_recall_by_hand() -> None:
    # All 4 questions of two symbols: each symbol costs log 2, each answer nothing.
    world = Recall(facts=4, symbols=2, answers=3)
    assert world.floor(4) == pytest.approx((math.log(2) + 0.0 + math.log(2)) / 3)
    assert world.floor(3) == pytest.approx((math.log(2) + 0.0) / 2)
    ids, _ = world.draw(100, 8, rng())
    known = {(a, b): c for a, b, c in world.fact_N3.tolist()}
    for row in ids.tolist():
        assert row[2] == known[row[0], row[1]]
        assert row[5] == known[row[3], row[4]]
    assert len(known) == 4


def test_fewer_facts_than_questions_cost_less() -> None:
    world = Recall(facts=8, symbols=4, answers=2, seed=1)
    first = np.bincount(world.fact_N3[:, 0], minlength=4) / 8
    expected = float(entropy(first))
    assert world.floor(4) == pytest.approx((math.log(8) - expected + 0.0 + expected) / 3)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Uniform(1), "world.size=1: must be at least 2"),
        (lambda: Sources(chains=0), "world.chains=0: must be at least 1"),
        (lambda: Sources(words=3, successors=4), "world.successors=4: at most world.words=3"),
        (lambda: Sources(share=1.0), "world.share=1.0: must be at least 0 and below 1"),
        (lambda: Sources(skew=-1.0), "world.skew=-1.0: must be at least 0"),
        (lambda: Recall(facts=10, symbols=3), "world.facts=10: at most world.symbols squared, 9"),
        (lambda: Recall(answers=1), "world.answers=1: must be at least 2"),
        (lambda: Synthetic(Uniform(9), vocabulary=8), "data.vocabulary=8: the world uses 9 ids"),
        (lambda: Synthetic(Uniform(9), length=0), "data.length=0: must be at least 1"),
        (lambda: Synthetic(Uniform(9), seed=-1), "data.seed=-1: must not be negative"),
    ],
)
def test_refusals(make, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_batches_depend_on_seed_and_number_and_are_resumed() -> None:
    def first(data: Synthetic, number: int = 3) -> list[list[int]]:
        batches = iter(data.train_dataloader())
        return [next(batches).input_BL.flatten().tolist() for _ in range(number)]

    data = Synthetic(Uniform(16), length=8, batch_size=2, valid_batches=2)
    assert first(data) == first(data)
    assert first(data) != first(Synthetic(Uniform(16), length=8, batch_size=2, seed=1))
    loader = data.train_dataloader()
    loader.load_state_dict({"position": 2})
    assert next(iter(loader)).input_BL.flatten().tolist() == first(data)[2]
    assert loader.state_dict() == {"position": 3}
    batch = next(iter(data.train_dataloader()))
    assert (batch.input_BL[:, 1:] == batch.target_BL[:, :-1]).all()
    other = Synthetic(Uniform(16), length=8, batch_size=2, valid_batches=2, seed=7)
    for one, two in zip(data.val_dataloader(), other.val_dataloader(), strict=True):
        assert (one.input_BL == two.input_BL).all()
    assert data.content_hash == other.content_hash
    assert data.content_hash != Synthetic(Uniform(17), length=8, batch_size=2).content_hash


def settings(**more: object) -> dict[str, object]:
    return {
        "data": {
            "class_path": "Synthetic",
            "init_args": {
                "world": {"class_path": "Uniform", "init_args": {"size": 8}},
                **{"vocabulary": 8, "length": 16, "batch_size": 8, "valid_batches": 2},
            },
        },
        "trainer.max_steps": 60,
        "trainer.val_check_interval": 30,
        "trainer.accelerator": "cpu",
        "model.network.init_args.shape.layers": 2,
        **more,
    }


def test_in_a_uniform_world_a_model_ends_at_the_floor(tmp_path: Path) -> None:
    experiment = load([CONFIG], settings())
    job = Job("target", "profile", "arm", 0, experiment, tmp_path / "run")
    record = execute(job, [])
    assert record.status == "finished", (job.folder / "error.txt").read_text()
    assert record.metrics["valid/loss"] == pytest.approx(math.log(8), abs=0.15)
    assert record.data_hash


def test_its_short_name_is_known_to_a_process_that_never_imported_it() -> None:
    """A fork of the server of runs, which has imported what runs need and nothing of this file."""
    process = context().Process(target=load, args=([CONFIG], settings()))
    process.start()
    process.join()
    assert process.exitcode == 0


def test_a_world_that_does_not_fit_is_one_line() -> None:
    with pytest.raises(ConfigurationError, match=r"data\.vocabulary=8: .* uses 64 ids"):
        load([CONFIG], settings(**{"data.init_args.world.init_args.size": 64})).build(logger=False)
