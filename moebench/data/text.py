"""Text for language models: from a source to batches, the same on every machine and in every run.

The tokenizer is trained and the tokens are written once, into a cache that all runs share (see
`moebench.data.corpus`); a run only maps them into memory.
"""

import logging
import math
from functools import cached_property
from pathlib import Path

import pytorch_lightning as pl

from moebench.data import corpus
from moebench.data.batches import TrainBatches, ValidBatches
from moebench.data.objectives import NextToken, Objective, SpanCorruption
from moebench.data.overlap import RUN, WORTH_A_WARNING
from moebench.data.sources import Files, HuggingFace, Packages, Source
from moebench.data.tokenizer import Tokenizer, check_vocabulary

# Listed one by one, so that YAML can give our own classes by their short names.
AnySource = Packages | Files | HuggingFace | Source
AnyObjective = NextToken | SpanCorruption | Objective


class Text(pl.LightningDataModule):
    """Batches of text; after `prepare_data` it also knows the text's hash, domains and size.

    A batch is a `TextBatch`. Windows of text do not overlap, lie inside one domain, and come in an
    order that depends only on the seed and the epoch, so that all models with one seed see the
    same batches. Validation is the same for every seed, and shares no text with training (see
    `moebench.data.separation`).

    Args:
        source: where the text comes from: `Packages`, `Files`, `HuggingFace`, or one of your own.
        objective: `NextToken`, `SpanCorruption`, or one of your own.
        vocabulary: number of ids V, the 34 special ones included; at least 290.
        length: tokens L that the model reads from each window (the encoder, if there is one).
        batch_size: windows B in a batch.
        valid_batches: number of validation batches.
        seed: seed of the order of training batches and of the objective's randomness in training.

    Raises:
        ValueError: if a number is out of range, or the objective cannot work at that length.
    """

    version = 3  # raise it when the same source would give other batches

    def __init__(
        self,
        source: AnySource,
        objective: AnyObjective,
        vocabulary: int = 1024,
        length: int = 64,
        batch_size: int = 32,
        valid_batches: int = 32,
        seed: int = 0,
    ) -> None:
        super().__init__()
        check_vocabulary(vocabulary)
        sizes = {"length": length, "batch_size": batch_size, "valid_batches": valid_batches}
        for name, number in sizes.items():
            if number < 1:
                raise ValueError(f"data.{name}={number}: must be at least 1")
        if seed < 0:
            raise ValueError(f"data.seed={seed}: must not be negative")
        self.source = source
        self.objective = objective
        self.vocabulary = vocabulary
        self.length = length
        self.batch_size = batch_size
        self.valid_batches = valid_batches
        self.seed = seed
        self._width = objective.width(length)

    def prepare_data(self) -> None:
        """Encode the text unless it is cached; warn if it is not the expected text.

        Also warn of every domain where more than 1% of the validation text occurs in the training
        text.
        """
        corpus.build(self.source, self.vocabulary, self._folder)
        self.source.check(self.description.digests)
        for name, share in zip(self.domains, self.description.overlap.by_domain, strict=True):
            if share > WORTH_A_WARNING:
                logging.getLogger(__name__).warning(
                    "%.1f%% of the runs of %d tokens in the validation text of %s also occur in "
                    "the training text, which lowers the validation loss",
                    100 * share,
                    RUN,
                    name,
                )

    def setup(self, stage: str | None = None) -> None:
        """Read the description of the text from the cache.

        Raises:
            FileNotFoundError: if `prepare_data` was never called.
        """
        _ = self.description

    def train_dataloader(self) -> TrainBatches:
        """Return the training batches, which can resume at any of them."""
        windows = corpus.windows(self._folder, "train", self._width)
        return TrainBatches(windows, self.objective, self.batch_size, self.seed)

    def val_dataloader(self) -> ValidBatches:
        """Return the validation batches."""
        windows = corpus.windows(self._folder, "valid", self._width)
        return ValidBatches(windows, self.objective, self.batch_size, self.valid_batches)

    @property
    def content_hash(self) -> str:
        """SHA-256 of the texts, the vocabulary and the tokens; the objective does not matter."""
        return self.description.content_hash

    @property
    def metrics(self) -> dict[str, float]:
        """`data/overlap`, in all and by domain: the share of validation text that is trained on.

        The unit is a run of 32 tokens, see `moebench.data.overlap`; domains without such runs are
        left out.
        """
        known = self.description.overlap
        found = {f"data/overlap/{d}": s for d, s in zip(self.domains, known.by_domain, strict=True)}
        return {
            k: s for k, s in {"data/overlap": known.total, **found}.items() if not math.isnan(s)
        }

    @property
    def domains(self) -> tuple[str, ...]:
        """Names of the domains, in the order of the numbers in `domain_B`."""
        return tuple(self.description.digests)

    @property
    def train_tokens(self) -> int:
        """Tokens of the training split."""
        return sum(self.description.tokens["train"])

    @property
    def tokens_per_batch(self) -> int:
        """Tokens B x L that the model reads from one batch."""
        return self.batch_size * self.length

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer, which turns text into ids and back."""
        return Tokenizer.load(self._folder / "tokenizer.json")

    @cached_property
    def _folder(self) -> Path:
        return corpus.folder_of(self.source, self.vocabulary)

    @cached_property
    def description(self) -> corpus.Corpus:
        """The description of the text in the cache."""
        return corpus.load(self._folder)
