"""Text from the Hugging Face hub, or from a folder that its `datasets` package can read."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any

from moebench.data.sources.rows import text_of
from moebench.data.sources.source import Document, Split, digest_of


class HuggingFace:
    """One data set of the hub as one domain, each row a document.

    The splits are the hub's own: validation text stays as it is, and training documents that are
    near-duplicates of a validation document are left out (see `moebench.data.separation`).

    The data set may change on the hub under the same name: pin it by a `revision`. Cached tokens
    are reused as long as the arguments (and the files of a local folder) are the same.

    Args:
        name: data set, such as `Salesforce/wikitext` or `allenai/c4`, or a local folder.
        config: configuration of the data set, such as `wikitext-103-raw-v1` or `en`.
        revision: branch, tag or commit of the data set; None: the newest.
        splits: names of the training and the validation split; slices such as `train[:5%]` work
            without streaming.
        column: column of the text.
        streaming: whether to read row by row instead of downloading everything first.
        max_documents: training rows to read, with a twentieth as many for validation; None: all.

    Raises:
        ValueError: if `max_documents` is below 1.
    """

    def __init__(
        self,
        name: str,
        config: str | None = None,
        revision: str | None = None,
        splits: tuple[str, str] = ("train", "validation"),
        column: str = "text",
        streaming: bool = False,
        max_documents: int | None = None,
    ) -> None:
        if max_documents is not None and max_documents < 1:
            raise ValueError(f"source.max_documents={max_documents}: must be at least 1")
        self.name = name
        self.config = config
        self.revision = revision
        self.splits = tuple(splits)
        self.column = column
        self.streaming = streaming
        self.max_documents = max_documents

    def fingerprint(self) -> str:
        """Return a digest of the arguments and, for a local folder, of names, sizes and times."""
        arguments = [f"{key}={value!r}" for key, value in sorted(vars(self).items())]
        folder = Path(self.name)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        states = ((path, path.stat()) for path in files)
        known = (f"{path} {state.st_size} {state.st_mtime_ns}" for path, state in states)
        return digest_of(chain(["huggingface"], arguments, known))

    def documents(self) -> Iterator[Document]:
        """Yield the rows in the order of the data set, training split first; nulls are left out.

        Raises:
            ValueError: if `datasets` is not installed, cannot load the data set (no network,
                unknown name, configuration or split), or the column is missing or is not text.
        """
        limit = self.max_documents
        yield from self._rows("train", self.splits[0], limit)
        yield from self._rows("valid", self.splits[1], limit and max(1, limit // 20))

    def check(self, digests: Mapping[str, str]) -> None:
        """Accept any text: the revision pins it."""

    def _rows(self, split: Split, remote_split: str, limit: int | None) -> Iterator[Document]:
        domain = self.config or Path(self.name).name
        for number, row in enumerate(islice(self._load(remote_split), limit)):
            if self.column not in row:
                raise ValueError(
                    f"source.column={self.column!r}: {self.name!r} has {', '.join(sorted(row))}"
                )
            place = f"source.column={self.column!r}: row {number} of {self.name!r}"
            text = text_of(row[self.column], place)
            if text is not None and text.strip():
                yield Document(f"{remote_split}/{number}", domain, split, text)

    def _load(self, split: str) -> Iterable[Mapping[str, Any]]:
        try:
            import datasets
        except ImportError as error:
            raise ValueError(
                "source: HuggingFace needs the package datasets; "
                'run: pip install "moebench[huggingface]"'
            ) from error
        try:
            rows: Iterable[Mapping[str, Any]] = datasets.load_dataset(
                self.name,
                self.config,
                split=split,
                revision=self.revision,
                streaming=self.streaming,
            )
        except Exception as error:  # network, hub and parser each have their own exceptions
            reason = " ".join(str(error).split())
            raise ValueError(
                f"source.name={self.name!r}: split {split!r} cannot be loaded ({reason})"
            ) from error
        return rows
