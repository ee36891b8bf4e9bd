"""The paper's own figures.

Source: Lepikhin et al. 2020, GShard (arXiv 2006.16668), Tables 1 to 3 and appendix A.2.
"""

from typing import NamedTuple


class Row(NamedTuple):
    """A model of Table 1, with what Table 3 says of its training; None where it says nothing."""

    experts: int  # per layer with experts, which is every second one
    layers: int  # of encoder and decoder together
    experts_total: int
    weights: str
    core_years: float | None = None
    bleu: float | None = None


MODELS = {
    "2048E-36L": Row(2048, 36, 36684, "600B", 22.4, 44.3),
    "2048E-12L": Row(2048, 12, 12228, "200B", 7.5, 41.3),
    "512E-36L": Row(512, 36, 9216, "150B", 15.5, 43.7),
    "512E-12L": Row(512, 12, 3072, "50B", 4.9, 40.0),
    "128E-36L": Row(128, 36, 2304, "37B", 6.1, 39.0),
    "128E-12L": Row(128, 12, 768, "12.5B", 1.9, 36.7),
    "2048E-60L": Row(2048, 60, 61440, "1T"),
}
BLEU = {name: row.bleu for name, row in MODELS.items() if row.bleu is not None}
DENSE_BLEU, BILINGUAL_BLEU = 36.9, 30.8  # the dense model of 96 layers; one model per language
TOKENS = {  # Table 2: billions of tokens to a training loss, with 12 and with 36 layers
    "128E to 0.7": (995, 321),
    "512E to 0.7": (141, 66),
    "2048E to 0.7": (176, 82),
    "512E to 0.6": (486, 170),
    "2048E to 0.6": (484, 175),
    "2048E to 0.5": (1780, 542),
}
# Appendix A.2.
WIDTH, HIDDEN, HEADS, HEAD_WIDTH = 1024, 8192, 16, 128
VOCABULARIES = (64_000, 32_000)  # of the source languages, and of English
