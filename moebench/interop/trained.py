"""Opens trained models: runs of moebench and Hugging Face checkpoints."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from moebench.data.published import Codec, PublishedTokenizer
from moebench.data.tokenizer import EOS
from moebench.evidence.record_files import json_of
from moebench.experiment import Experiment, naming_file
from moebench.interop import from_pretrained
from moebench.moe.contract import lift_capacity

CHECKPOINT = "last.ckpt"
DESCRIBED = "config.json"


@dataclass(frozen=True)
class TrainedModel:
    """A trained model with its tokenizer."""

    path: Path
    network: nn.Module  # in evaluation mode
    codec: Codec
    beginning: list[int]  # ids to put before every text
    ends: frozenset[int]  # ids that end a text
    context: int  # the longest text it was made for, in tokens
    vocabulary: int
    source: Any = None  # source of the text that a run was trained on


def open_model(path: Path, dtype: str | None = None) -> TrainedModel:
    """Return the model in a folder.

    Args:
        path: the folder of a run that kept its weights, as `moebench fit` does, or one of its
            `.ckpt` files; or that of a checkpoint with `config.json`, safetensors and
            `tokenizer.json`.
        dtype: dtype of a checkpoint's weights; None: its own. Those of a run are float32.

    Raises:
        FileNotFoundError: if there is no model.
        ValueError: if it cannot be read, or is not a model of text.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder")
    folder, weights = (
        (run_folder(path), path) if path.suffix == ".ckpt" else (path, path / CHECKPOINT)
    )
    described = folder / DESCRIBED
    if not described.is_file():
        raise FileNotFoundError(f"{folder}: has no config.json: neither a run nor a checkpoint")
    config = json_of(described)
    if not isinstance(config, dict):
        raise ValueError(f"{described}: expected keys and values")
    if "model_type" in config:
        return _checkpoint(folder, config, dtype)
    if "model" not in config or "data" not in config:
        raise ValueError(f"{described}: has neither a model_type nor the keys of a run")
    if dtype not in (None, "float32"):
        raise ValueError(f"dtype={dtype}: the weights of a run are float32")
    return _run(weights, config)


def run_folder(path: Path) -> Path:
    """Return the folder of the run that contains a file, at any depth."""
    return next((p for p in path.parents if (p / DESCRIBED).is_file()), path.parent)


def _checkpoint(folder: Path, config: Mapping[str, Any], dtype: str | None) -> TrainedModel:
    network = from_pretrained(folder, dtype)
    codec = PublishedTokenizer(folder)
    given = dict(config)
    if (more := folder / "generation_config.json").is_file():
        given |= json_of(more)
    ends = given.get("eos_token_id")
    return TrainedModel(
        path=folder,
        network=network,
        codec=codec,
        beginning=codec.beginning,
        ends=frozenset(ends if isinstance(ends, list) else [] if ends is None else [ends]),
        context=network.context,
        vocabulary=network.embedding.num_embeddings,
    )


def trained_module(folder: Path) -> nn.Module:
    """Return the trained LightningModule of a run that kept its weights, in evaluation mode.

    Raises:
        FileNotFoundError: if there is no such run, or it kept no weights.
        ValueError: if they cannot be read.
    """
    module, _ = _restored(folder / CHECKPOINT, json_of(folder / DESCRIBED))
    trained: nn.Module = module.eval()
    return trained


def _restored(weights: Path, config: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the module of a run with these weights, and its data, of whatever class."""
    if not weights.is_file():
        raise FileNotFoundError(
            f"{weights}: no weights; `moebench fit` keeps those of its run, a reproduction does not"
        )
    with naming_file(run_folder(weights) / DESCRIBED):
        model, data, _ = Experiment(config).build(logger=False)
    try:
        saved = torch.load(weights, map_location="cpu", weights_only=True)
        model.load_state_dict(saved["state_dict"])
    except OSError:
        raise
    except Exception as error:  # a damaged file makes torch raise anything
        raise ValueError(
            f"{weights}: damaged, or not of the run that {DESCRIBED} beside it describes"
        ) from error
    return model, data


def _run(weights: Path, config: Mapping[str, Any]) -> TrainedModel:
    model, data = _restored(weights, config)
    if not hasattr(type(data), "tokenizer"):
        raise ValueError(f"{weights.parent}: its data are {type(data).__name__}, not text")
    if getattr(model.network, "reads_context", False):
        raise ValueError(f"{weights.parent}: its model has an encoder; only decoders are supported")
    data.prepare_data()
    network: nn.Module = model.network.eval()
    lift_capacity(network)  # otherwise a token's experts would depend on the rest of its batch
    context: int = min(data.length, getattr(network, "context", data.length))
    return TrainedModel(
        path=weights,
        network=network,
        codec=data.tokenizer,
        beginning=[EOS],  # it preceded every document but the first
        ends=frozenset([EOS]),
        context=context,
        vocabulary=data.vocabulary,
        source=data.source,
    )
