"""The description of a text: its size, what was left out, and how far its splits overlap."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from moebench.data.contract import CONTRACT
from moebench.data.corpus import Corpus
from moebench.data.objectives import NextToken
from moebench.data.overlap import RUN
from moebench.data.sources import Files, Packages
from moebench.data.text import Text
from moebench.experiment import load, naming_configs, source_of
from moebench.report.tables import table, wrapped


def describe(
    configs: Sequence[Path], files: Mapping[str, str], source: str | None, vocabulary: int
) -> int:
    """Print the description of a text, encoding it first if needed; return the exit status.

    Args:
        configs: configuration files of an experiment, to describe its text; empty to describe one
            of the following.
        files: arguments of `Files`; empty for another source.
        source: YAML of any other source; None for the default text.
        vocabulary: number of ids, unless an experiment sets it.

    Raises:
        ConfigurationError: if the experiment or the source is refused.
        ValueError: if the data of the experiment have no description, or the text cannot be split.
    """
    text = text_of(configs, files, source, vocabulary)
    text.prepare_data()
    print(description(text))
    return 0


def text_of(
    configs: Sequence[Path], files: Mapping[str, str], source: str | None, vocabulary: int
) -> Any:
    """Return the data module to describe; arguments and errors are those of `describe`."""
    if configs:
        found: Any
        with naming_configs(configs):
            _, found, _ = load(configs).build(logger=False)
        if not hasattr(type(found), "description"):
            name = type(found).__name__
            raise ValueError(f"data={name}: has no description to print, see {CONTRACT}")
        return found
    if source is not None:
        return Text(source_of(source), NextToken(), vocabulary)
    return Text(Files(**files) if files else Packages(), NextToken(), vocabulary)


def description(text: Any) -> str:
    """Return the description of a prepared text, in lines."""
    known: Corpus = text.description
    counts = known.counts
    train, valid = known.tokens["train"], known.tokens["valid"]
    domains = [*zip(known.digests, train, valid, known.overlap.by_domain, strict=True)]
    rows = [
        (name, f"{a:,}", f"{b:,}", _percent(share))
        for name, a, b, share in [*domains, ("all", sum(train), sum(valid), known.overlap.total)]
    ]
    notes = (
        f"overlap: share of the runs of {RUN} tokens in validation documents that also occur in "
        "the training text; - if no document is that long",
        f"left out: {counts.copies:,} of {counts.documents:,} documents, near-duplicates of others "
        f"in {counts.clusters:,} clusters",
        f"left out: {counts.cut:,} of {counts.valid:,} characters of validation documents, which "
        "also occur in the training text",
    )
    lines = [
        f"content {known.content_hash}, version {getattr(text, 'version', 1)}, "
        f"vocabulary {known.vocabulary}",
        *table(("domain", "train tokens", "valid tokens", "overlap"), rows, "lrrr"),
        *(line for note in notes for line in wrapped(note)),
    ]
    return "\n".join(lines)


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{share:.2%}"
