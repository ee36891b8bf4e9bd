"""Checkpoints whose experts are stacked, as transformers holds them in memory.

`save_pretrained(save_original_format=False)` writes this form: `gate_up_proj` with both matrices of
all experts, E x 2F x D, and `down_proj`, E x D x F.
"""

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import replace

from moebench.interop.weight_mapping import TensorMapping

OF_EXPERT = re.compile(r"(.*\.experts\.)\d+\.")


def match_stored(
    mappings: Sequence[TensorMapping],
    stored: Container[str],
    in_memory: Sequence[tuple[str, str]] = (),
) -> list[TensorMapping]:
    """Return the mappings for the form in which a checkpoint is stored: published or stacked.

    Args:
        mappings: the mappings of the published form.
        stored: the names in the checkpoint.
        in_memory: parts of published names, and what replaces them in memory.
    """
    if all(mapping.theirs in stored for mapping in mappings):
        return list(mappings)
    stacked = list(dict.fromkeys(_stacked(mappings, in_memory)))
    return stacked if all(mapping.theirs in stored for mapping in stacked) else list(mappings)


def _stacked(
    mappings: Sequence[TensorMapping], in_memory: Sequence[tuple[str, str]]
) -> Iterator[TensorMapping]:
    for mapping in mappings:
        name = mapping.theirs
        for there, here in in_memory:
            name = name.replace(there, here)
        expert = OF_EXPERT.match(name)
        if expert is None:
            yield replace(mapping, theirs=name)
        else:
            end = "gate_up_proj" if mapping.ours.endswith("gate_up_EDF") else "down_proj"
            yield TensorMapping(expert[1] + end, mapping.ours, stacked=True)
