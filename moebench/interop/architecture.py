"""The contract of a file for one architecture."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moebench.interop.config import Config
from moebench.interop.decoder_parts import Parts
from moebench.interop.weight_mapping import MixtureNames, Names, TensorMapping, decoder
from moebench.models.decoder import RotaryDecoder


@dataclass(frozen=True)
class Architecture:
    """One family of published checkpoints."""

    model_type: str  # as config.json has it
    class_name: str  # of the model in transformers
    defaults: Mapping[str, Any]  # of the settings that a config.json may leave out
    build: Callable[[Config], RotaryDecoder]
    attention: Names  # yields the weights of an attention
    mixture: MixtureNames  # yields the weights of a mixture
    fits: Callable[[Parts], bool]  # whether a model of these parts has this architecture
    settings: Callable[[Parts], dict[str, Any]]  # its own settings in config.json
    # Prefixes of the names of weights that a checkpoint may have but a decoder does not use.
    spare: Callable[[Config], tuple[str, ...]] = lambda config: ()
    # Suffixes of our names of parameters that stay in float32 where the others are narrower.
    exact: tuple[str, ...] = ()
    # Parts of the names of weights in files, and their names in the memory of transformers.
    in_memory: tuple[tuple[str, str], ...] = ()

    def mappings(self, model: RotaryDecoder) -> Iterator[TensorMapping]:
        """Yield the mappings between the weights of a checkpoint and of a model."""
        return decoder(model, self.attention, self.mixture)
