"""The paper's own figures.

Source: Du et al. 2021, GLaM (arXiv 2112.06905), Tables 1 and 4, section 4.
"""

from typing import NamedTuple

# Table 1: GPT-3 and GLaM 64B/64E. Scores are means over 29 tasks.
TABLE_1 = {
    "zero-shot": (56.9, 62.7),
    "one-shot": (61.6, 65.5),
    "few-shot": (65.2, 68.1),
    "FLOPs": (350.0, 180.0),  # billions a token
    "energy": (1287.0, 456.0),  # MWh of training
}
PERCENT = {"zero-shot": 10.2, "one-shot": 6.3, "few-shot": 4.4, "FLOPs": -48.6, "energy": -64.6}
FLOPS = "180B"
LENGTH = 1024  # tokens of a sequence
VOCABULARY = 256_000


class Model(NamedTuple):
    """A row of Table 4."""

    total: str
    active: str
    layers: int
    width: int
    hidden: int
    heads: int
    head_width: int
    experts: int = 0  # in every second layer; none in a dense model


_TINY, _SMALL = (12, 768, 3072, 12, 64), (24, 2048, 8192, 16, 128)
_MEDIUM = (32, 4096, 16384, 32, 128)
MODELS = {
    "0.1B": Model("130M", "130M", *_TINY),
    "0.1B/64E": Model("1.9B", "145M", *_TINY, 64),
    "1.7B": Model("1.7B", "1.700B", *_SMALL),
    "1.7B/32E": Model("20B", "1.878B", *_SMALL, 32),
    "1.7B/64E": Model("27B", "1.879B", *_SMALL, 64),
    "1.7B/128E": Model("53B", "1.881B", *_SMALL, 128),
    "1.7B/256E": Model("105B", "1.886B", *_SMALL, 256),
    "8B": Model("8.7B", "8.7B", *_MEDIUM),
    "8B/64E": Model("143B", "9.8B", *_MEDIUM, 64),
    "137B": Model("137B", "137B", 64, 8192, 65536, 128, 128),
    "64B/64E": Model("1.2T", "96.6B", 64, 8192, 32768, 128, 128, 64),
}
LARGEST = "64B/64E"
