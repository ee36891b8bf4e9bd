"""All instruments on one stream of batches, in memory that does not grow with the text."""

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from moebench.analysis.certainty import Certainty
from moebench.analysis.coactivation import Agreement, CoActivation
from moebench.analysis.domains import Domains
from moebench.analysis.labels import Labels
from moebench.analysis.repeats import Repeats
from moebench.analysis.routed_batch import Choices, RoutedBatch
from moebench.analysis.token_table import TokenCounts
from moebench.analysis.vocabulary import Vocabulary
from moebench.moe.decision import RoutingDecision
from moebench.moe.layer import MoELayer

SCALARS = {  # names of `metrics` -> where `findings` has them
    "repeats": ("repeats", "first"),
    "repeats_excess": ("repeats", "first_excess"),
    "overlap": ("repeats", "any"),
    "overlap_excess": ("repeats", "any_excess"),
    "repeats_disordered": ("disordered", "first_excess"),
    "overlap_disordered": ("disordered", "any_excess"),
    "domain_nmi": ("domains", "nmi"),
    "domain_nmi_null": ("domains", "nmi_null"),
    "token_nmi": ("tokens", "nmi"),
    "token_nmi_null": ("tokens", "nmi_null"),
    "confidence": ("certainty", "confidence"),
    "margin": ("certainty", "margin"),
}

ROUNDING = 1e-9  # nats; an entropy below it is none


def experts_of(model: nn.Module) -> list[int]:
    """Return the number of experts of every mixture of a model, in order of depth."""
    return [cast(int, m.router.num_experts) for m in model.modules() if isinstance(m, MoELayer)]


class Instruments:
    """Measures batch after batch, in the order of the labels, and returns its findings.

    Args:
        layers: number of experts E of each mixture.
        labels: domains of the windows.
        text: token counts of the whole text that will be read.
    """

    def __init__(self, layers: list[int], labels: Labels, text: TokenCounts) -> None:
        domains = len(labels.names)
        self.layers = layers
        self.labels = labels
        self.repeats = Repeats(len(layers), domains)
        self.disordered = Repeats(len(layers), domains)
        self.domains = Domains(layers, domains, labels.permutations)
        self.tokens = Vocabulary(layers, domains, text)
        self.certainty = Certainty(len(layers))
        self.together = CoActivation(layers)
        self.agreement = Agreement(layers)
        self._read = 0  # windows
        self._generator = torch.Generator().manual_seed(1)

    def add(self, input_BL: Tensor, decisions: Sequence[RoutingDecision]) -> list[Choices]:
        """Measure the next batch; return the choices of its layers."""
        windows = len(input_BL)
        choices = [Choices.of(decision, windows) for decision in decisions]
        domain_B, null_PB = self.labels.read(self._read, windows)
        self._read += windows
        batch = RoutedBatch(input_BL.cpu(), domain_B, null_PB, choices)
        for instrument in (
            *(self.repeats, self.domains, self.tokens),
            *(self.certainty, self.together, self.agreement),
        ):
            instrument.add(batch)
        return choices

    def shuffle(self, input_BL: Tensor) -> Tensor:
        """Return the windows with their tokens in random order."""
        place_BL = torch.rand(input_BL.shape, generator=self._generator).argsort(dim=1)
        return input_BL.gather(1, place_BL.to(input_BL.device))

    def add_shuffled(self, decisions: Sequence[RoutingDecision], windows: int) -> None:
        """Measure the last windows again, with their tokens in random order.

        Attention averages over earlier tokens, so that neighbours resemble one another whatever the
        text: repeats of this kind remain when the order is gone.
        """
        choices = [Choices.of(decision, windows) for decision in decisions]
        domain_B, null_PB = self.labels.read(self._read - windows, windows)
        self.disordered.add(RoutedBatch(choices[0].first_BL, domain_B, null_PB, choices))

    def findings(self) -> dict[str, Any]:
        """Return all findings as JSON values: by layer, then across layers."""
        return {
            "domains": list(self.labels.names),
            "windows": self._read,
            "covered": self.tokens.covered,
            "layers": [
                {
                    "experts": experts,
                    "repeats": self.repeats.findings(layer),
                    "disordered": self.disordered.findings(layer),
                    "domains": self.domains.findings(layer),
                    "tokens": self.tokens.findings(layer),
                    "certainty": self.certainty.findings(layer),
                    **self.together.findings(layer),
                }
                for layer, experts in enumerate(self.layers)
            ],
            "agreement": self.agreement.findings(),
        }


def metrics(findings: dict[str, Any]) -> dict[str, float]:
    """Return the numbers in findings as `analysis/<layer>/<name>`; unknown ones are left out.

    `token_information` is the information that a token, and `domain_given_token` that which the
    domain beyond the token, gives about the expert, in nats, minus its chance level: that of tokens
    of another window, and of each token's domains permuted among the windows that contain it.
    `domain_share_given_token` is the latter divided by the most that it could be.
    """
    found: dict[str, float] = {}
    for layer, parts in enumerate(findings["layers"]):
        values = {name: parts[part][key] for name, (part, key) in SCALARS.items()}
        tokens = parts["tokens"]
        for name, key in (("token_information", "information"), ("domain_given_token",) * 2):
            if tokens[key] is not None:
                values[name] = tokens[key] - tokens[f"{key}_null"]
        if (most := tokens["domain_given_token_most"]) is not None:
            share = values["domain_given_token"] / most if most > ROUNDING else 0.0
            values["domain_share_given_token"] = share
        found |= {
            f"analysis/{layer}/{name}": value for name, value in values.items() if value is not None
        }
    return found
