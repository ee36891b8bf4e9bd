"""A description of a text: its size, what was left out, and how far its splits overlap."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from moebench.data.objectives import NextToken
from moebench.data.overlap import RUN
from moebench.data.sources import Files, Packages
from moebench.data.text import Text
from moebench.experiment import load, source_of
from moebench.report.tables import table, wrapped


def describe(
    configs: Sequence[Path], files: Mapping[str, str], source: str | None, vocabulary: int
) -> int:
    """Print the description of a text, which is encoded first if need be; return the exit status.

    Args:
        configs: files of an experiment whose text is meant; none: one of the following.
        files: arguments of `Files`; empty: another source is meant.
        source: YAML of any other source; without one, it is the default text.
        vocabulary: number of ids, where no experiment decides it.

    Raises:
        ConfigurationError: for an experiment or source that is refused.
        ValueError: if the data of the experiment are no text, or the text cannot be split.
    """
    text = text_of(configs, files, source, vocabulary)
    text.prepare_data()
    print(description(text))
    return 0


def text_of(
    configs: Sequence[Path], files: Mapping[str, str], source: str | None, vocabulary: int
) -> Text:
    """Return the text that is meant, as `describe` says."""
    if configs:
        _, found, _ = load(configs).build(logger=False)
        if not isinstance(found, Text):
            raise ValueError(
                f"data: {type(found).__name__} is no text, so there is nothing to describe"
            )
        return found
    if source is not None:
        return Text(source_of(source), NextToken(), vocabulary)
    return Text(Files(**files) if files else Packages(), NextToken(), vocabulary)


def description(text: Text) -> str:
    """Return what is known about a text that was prepared, in lines."""
    known = text.description
    counts = known.counts
    train, valid = known.tokens["train"], known.tokens["valid"]
    domains = [*zip(known.digests, train, valid, known.overlap.by_domain, strict=True)]
    rows = [
        (name, f"{a:,}", f"{b:,}", _percent(share))
        for name, a, b, share in [*domains, ("all", sum(train), sum(valid), known.overlap.total)]
    ]
    notes = (
        f"overlap: runs of {RUN} tokens in validation documents that stand in the training text"
        "; - where none is as long",
        f"left out: {counts.copies:,} of {counts.documents:,} documents, near-duplicates of others "
        f"in {counts.clusters:,} clusters",
        f"left out: {counts.cut:,} of {counts.valid:,} characters of validation documents, which "
        "stand in the training text",
    )
    lines = [
        f"content {known.content_hash}, version {text.version}, vocabulary {known.vocabulary}",
        *table(("domain", "train tokens", "valid tokens", "overlap"), rows, "lrrr"),
        *(line for note in notes for line in wrapped(note)),
    ]
    return "\n".join(lines)


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{share:.2%}"
