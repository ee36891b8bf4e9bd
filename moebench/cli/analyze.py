"""What the routers of a trained model do with a text: findings as JSON and as a page."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from tqdm import tqdm

from moebench.analysis import Instruments, Labels, experts_of
from moebench.analysis.routed_batch import Choices
from moebench.analysis.saturation import Saturation
from moebench.analysis.text_windows import TextWindows, encode
from moebench.cli.page_folders import analysis_folder
from moebench.data.separation import separate
from moebench.data.sources import Files, Packages
from moebench.data.sources.source import Document, Source
from moebench.evidence.record_files import write_whole
from moebench.experiment import source_of
from moebench.interop.trained import TrainedModel, open_model
from moebench.models.output import Output
from moebench.report.routing.page import analysis_page, analysis_text
from moebench.run.machine import device_of

TOKENS = 2**18  # to read, unless somebody asks for more
LONGEST = 512  # tokens of a window, unless somebody asks for more
AT_ONCE = 2048  # tokens of a batch
LOGITS = 2**26  # numbers of a batch's logits, whatever the vocabulary


@dataclass(frozen=True)
class AnalyzeOptions:
    """What a person may choose."""

    model: Path
    out: Path | None = None  # folder for analysis.json and analysis.html; None: one under the root
    root: Path = Path("runs")
    text: Source | None = None  # None: the model's own validation text, or the default one
    tokens: int | None = None  # to read, at most; None: TOKENS
    length: int | None = None  # of a window; None: what the model was made for, up to LONGEST
    earlier: tuple[Path, ...] = ()  # earlier states of the model, in order of training
    dtype: str | None = None  # of a checkpoint's weights
    device: str | None = None  # None: a GPU where there is one


def analyze(options: AnalyzeOptions) -> int:
    """Read a text with a model, print and write what its routers did; return the exit status.

    Raises:
        FileNotFoundError: if there is no model, or no text.
        ValueError: for a number out of range, a dense model, a text that does not fill a window, or
            an earlier state of another shape.
    """
    if options.tokens is not None and options.tokens < 1:
        raise ValueError(f"tokens={options.tokens}: must be at least 1")
    model = open_model(options.model, options.dtype)
    with tempfile.TemporaryDirectory() as folder:
        findings = look(model, options, Path(folder))
    states = len(options.earlier) or None
    numbers = {"tokens": options.tokens, "length": options.length, "earlier": states}
    out = options.out or analysis_folder(options.root, options.model, options.text, numbers)
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / "analysis.json", json.dumps(findings, indent=1))
    write_whole(out / "analysis.html", analysis_page(findings))
    print(analysis_text(findings))
    print(f"report: {out / 'analysis.html'}")
    return 0


def look(model: TrainedModel, options: AnalyzeOptions, folder: Path) -> dict[str, Any]:
    """Return what was found, as JSON can hold it; the text's tokens are put into a folder."""
    device = device_of(options.device)
    layers = experts_of(model.network)
    if not layers:
        raise ValueError("model: is dense; there is no router to look at")
    for path in options.earlier:  # before anything is read, which may take long
        earlier_state(path, options.dtype, layers)
    length = window_length(model, options.length)
    texts = documents(model, options.text)
    tokens = options.tokens or TOKENS
    path, sizes = encode(texts, model.codec, model.beginning, tokens, folder)
    reading = TextWindows(path, sizes, length + 1, max(1, tokens // length))
    labels = Labels(reading.domain_S, reading.names)
    instruments = Instruments(layers, labels, reading.token_counts(model.vocabulary))
    losses = Losses(len(reading.names))
    network = model.network.to(device)
    size = max(1, min(AT_ONCE, LOGITS // model.vocabulary) // length)
    for ids_BL, output in passes(network, reading, size, "reading"):
        instruments.add(ids_BL[:, :-1], output.decisions)
        losses.add(output.prediction, ids_BL[:, 1:], labels, len(ids_BL))
        disordered = read(network, instruments.shuffle(ids_BL[:, :-1]))
        instruments.add_shuffled(disordered.decisions, len(ids_BL))
    return {
        "model": label(options.model),
        "data": "" if options.text is None else " ".join(reading.names),
        "length": length,
        "tokens": len(reading) * length,
        "too_short": list(reading.too_short),
        "loss": losses.findings(),
        **instruments.findings(),
        "read_by": named(instruments, model),
        "saturation": [
            saturation(path, network, layers, reading, size, options.dtype)
            for path in options.earlier
        ],
    }


def label(model: Path) -> str:
    """Return a short name of a model: its folder or file, and the folder around it."""
    return "/".join(model.resolve().parts[-2:])


def window_length(model: TrainedModel, asked: int | None) -> int:
    """Return the tokens L of a window.

    Raises:
        ValueError: if the number asked for is below two or above the model's context.
    """
    if asked is None:
        return min(model.context, LONGEST)
    if not 2 <= asked <= model.context:
        raise ValueError(
            f"length={asked}: must be at least 2 and at most {model.context}, the context"
        )
    return asked


def text_of(files: Mapping[str, str], described: str | None) -> Source | None:
    """Return the source described in YAML, or `Files` of these arguments; None for neither."""
    if described is not None:
        return source_of(described)
    return Files(**files) if files else None


def documents(model: TrainedModel, text: Source | None) -> Iterator[Document]:
    """Yield the documents to read: a person's own, all of them, or the validation texts."""
    if text is not None:
        return text.documents()
    source = Packages() if model.source is None else model.source
    return (d for d in separate(source.documents()).documents if d.split == "valid")


def passes(
    network: nn.Module, reading: TextWindows, size: int, name: str
) -> Iterator[tuple[Tensor, Output]]:
    """Yield the ids of a batch, one token more than is read, and what the model says."""
    with tqdm(total=len(reading), desc=name, unit="window", disable=None) as progress:
        for ids_BL in reading.batches(size):
            yield ids_BL, read(network, ids_BL[:, :-1])
            progress.update(len(ids_BL))


def read(network: nn.Module, input_BL: Tensor) -> Output:
    """Return what a model makes of some windows."""
    device = next(network.parameters()).device
    with torch.inference_mode():
        output: Output = network(SimpleNamespace(input_BL=input_BL.to(device), context_BL=None))
    return output


class Losses:
    """The mean cross-entropy of each domain, in nats per token."""

    def __init__(self, domains: int) -> None:
        self._sum_N = torch.zeros(domains, dtype=torch.double)
        self._windows_N = torch.zeros(domains, dtype=torch.double)
        self._read = 0

    def add(self, prediction_BLV: Tensor, target_BL: Tensor, labels: Labels, windows: int) -> None:
        """Count a batch."""
        domain_B, _ = labels.read(self._read, windows)
        self._read += windows
        target_BL = target_BL.to(prediction_BLV.device)
        loss_BL = cross_entropy(prediction_BLV.float().mT, target_BL, reduction="none")
        self._sum_N.index_add_(0, domain_B, loss_BL.mean(dim=1).double().cpu())
        self._windows_N += domain_B.bincount(minlength=len(self._windows_N))

    def findings(self) -> dict[str, Any]:
        """Return the mean over all tokens, and by domain."""
        by_domain_N = self._sum_N / self._windows_N.clamp(min=1)
        return {
            "mean": (self._sum_N.sum() / self._windows_N.sum()).item(),
            "by_domain": by_domain_N.tolist(),
            "windows": self._windows_N.int().tolist(),
        }


def named(instruments: Instruments, model: TrainedModel) -> list[list[list[tuple[str, float]]]]:
    """Return for every layer and expert the tokens that it reads most of, as text."""
    return [
        [
            [
                (model.codec.decode([token]) or f"#{token}", share)
                for token, share in instruments.tokens.tokens_of(layer, expert)
            ]
            for expert in range(experts)
        ]
        for layer, experts in enumerate(instruments.layers)
    ]


def earlier_state(path: Path, dtype: str | None, layers: list[int]) -> nn.Module:
    """Return an earlier state of a model.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if it is of another shape.
    """
    network = open_model(path, dtype).network
    if experts_of(network) != layers:
        raise ValueError(
            f"earlier={path}: has mixtures of {experts_of(network)} experts, the model of {layers}"
        )
    return network


def saturation(
    path: Path,
    network: nn.Module,
    layers: list[int],
    reading: TextWindows,
    size: int,
    dtype: str | None,
) -> dict[str, Any]:
    """Return how much of a model's routing an earlier state has, layer by layer."""
    earlier = earlier_state(path, dtype, layers).to(next(network.parameters()).device)
    found = Saturation(layers)
    both = zip(
        passes(earlier, reading, size, label(path)),
        passes(network, reading, size, "model"),
        strict=True,
    )
    for (ids_BL, before), (_, after) in both:
        found.add(*([Choices.of(d, len(ids_BL)) for d in o.decisions] for o in (before, after)))
    return {"model": label(path), "layers": [found.findings(layer) for layer in range(len(layers))]}
