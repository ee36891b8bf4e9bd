"""Checkpoints of others in and out: folders with `config.json` and safetensors files.

Weights are read tensor by tensor into the model that needs them, so that no second copy is ever
held. `transformers` is not needed.
"""

from moebench.interop.architectures import ARCHITECTURES
from moebench.interop.layer import layer_from
from moebench.interop.pretrained import from_pretrained, save_pretrained

__all__ = ["ARCHITECTURES", "from_pretrained", "layer_from", "save_pretrained"]
