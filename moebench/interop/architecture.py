"""What an architecture file provides."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moebench.interop.config import Config
from moebench.interop.decoder_parts import Parts
from moebench.interop.weight_mapping import MixtureNames, Names, TensorMapping, decoder
from moebench.models.decoder import Mixtral


@dataclass(frozen=True)
class Architecture:
    """One family of published checkpoints."""

    model_type: str  # as config.json has it
    class_name: str  # of the model in transformers
    defaults: Mapping[str, Any]  # of the settings that a config.json may leave out
    build: Callable[[Config], Mixtral]
    attention: Names  # of the weights of an attention
    mixture: MixtureNames  # of the weights of a mixture
    fits: Callable[[Parts], bool]  # whether a model of these parts is one
    settings: Callable[[Parts], dict[str, Any]]  # what its config.json says beside the common
    # Beginnings of the names of weights that a checkpoint may have and a decoder has no place for.
    spare: Callable[[Config], tuple[str, ...]] = lambda config: ()
    # Endings of our names of parameters that stay in float32 where the others are narrower.
    exact: tuple[str, ...] = ()
    # Parts of the names of weights in files, and what stands there in the memory of transformers.
    in_memory: tuple[tuple[str, str], ...] = ()

    def mappings(self, model: Mixtral) -> Iterator[TensorMapping]:
        """Yield which weight of a checkpoint is which part of a model."""
        return decoder(model, self.attention, self.mixture)
