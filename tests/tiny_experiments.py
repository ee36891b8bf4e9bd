"""Small experiments, each of them loaded once; what is made here takes seconds to import."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import tokenizers
import torch
from pytorch_lightning import seed_everything

from moebench.experiment import Experiment, load
from moebench.experiment.precision import resolve_precision
from moebench.interop import save_pretrained
from moebench.models import RotaryDecoder
from moebench.models.decoder import DecoderShape
from moebench.models.rotary import RotaryEmbedding
from moebench.moe import Sparse
from moebench.moe.experts import SwiGLU
from moebench.moe.routers import TopK

CONFIGS = Path(__file__).parent / "configs" / "tiny_2026"
TINY = {
    "trainer.max_steps": 4,
    "trainer.val_check_interval": 2,
    "trainer.log_every_n_steps": 1,
    "trainer.accelerator": "cpu",
    "data.init_args.vocabulary": 300,
    "data.init_args.length": 32,
    "data.init_args.batch_size": 8,
    "data.init_args.valid_batches": 2,
    "model.network.init_args.shape.width": 32,
    "model.network.init_args.shape.layers": 2,
}


class Remembered:
    """Loads experiments as `load` does, and the same one only once; each call gets its own copy."""

    def __init__(self) -> None:
        self.configs: dict[str, str] = {}
        self.prepared: set[str] = set()

    def __call__(
        self, configs: Sequence[Path], settings: Mapping[str, object] | None = None, seed: int = 0
    ) -> Experiment:
        """Load, or return what the same files and settings gave before."""
        settings = resolve_precision(settings or {})  # the one thing that differs between machines
        texts = [path.read_text() if path.is_file() else "" for path in configs]
        key = json.dumps([list(map(str, configs)), texts, settings, seed], default=str)
        if key not in self.configs:
            self.configs[key] = json.dumps(load(configs, settings, seed).config)
        return Experiment(json.loads(self.configs[key]))

    def prepare(self, experiment: Experiment) -> None:
        """Build it and prepare its data, unless it was built before; seeds as building does.

        What building refuses is refused each time.
        """
        seed_everything(experiment.config["seed_everything"], verbose=False)
        key = json.dumps([os.environ["MOEBENCH_CACHE"], experiment.config])
        if key not in self.prepared:
            experiment.build(logger=False)[1].prepare_data()
            self.prepared.add(key)


class TinyExperiments:
    """Calls return an experiment of a file of tests/configs/tiny_2026 on the small text."""

    def __init__(self, text: Path, remembered: Remembered) -> None:
        self.source = {"class_path": "Files", "init_args": {"path": str(text)}}
        self.remembered = remembered

    def settings(self, **more: object) -> dict[str, object]:
        """All settings that make an experiment small."""
        return {**TINY, "data.init_args.source": self.source, **more}

    def __call__(
        self, name: str, settings: Mapping[str, object] | None = None, seed: int = 0
    ) -> Experiment:
        """Load, and prepare the data."""
        files = [CONFIGS / name]
        experiment = self.remembered(files, {**self.settings(), **(settings or {})}, seed)
        self.remembered.prepare(experiment)
        return experiment


def save_untrained(folder: Path) -> None:
    """Write an untrained decoder, and a tokenizer of 60 words or parts of them."""
    torch.manual_seed(0)
    model = RotaryDecoder(
        60,
        DecoderShape(width=16, layers=2, heads=2, hidden=24),
        Sparse(lambda d: TopK(d, 4), lambda d, n: SwiGLU(d, n, 8), every=1),
        positions=RotaryEmbedding(context=16),
    )
    save_pretrained(model, folder)
    encoding = tokenizers.Tokenizer(tokenizers.models.BPE())
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=60, show_progress=False)
    encoding.train_from_iterator(["the quick brown fox jumps over the lazy dog"] * 3, trainer)
    encoding.save(str(folder / "tokenizer.json"))
