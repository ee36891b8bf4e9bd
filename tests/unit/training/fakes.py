"""A network of one layer, small enough to follow by hand."""

from types import SimpleNamespace

from torch import nn

from moebench.models.output import Output
from moebench.moe.decision import RoutingDecision
from moebench.moe.routers import Switch

V, D, E = 11, 8, 4


class OneLayer(nn.Module):
    """An embedding, a router whose weight scales it, and a readout."""

    def __init__(self, vocabulary: int, router: nn.Module | None = None) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, D)
        self.router = router or Switch(D, E, jitter=0.0)

    def forward(self, batch: SimpleNamespace) -> Output:
        x_BLD = self.embedding(batch.input_BL)
        decision: RoutingDecision = self.router(x_BLD.flatten(0, 1))
        y_BLD = x_BLD * decision.weight_A.view(*x_BLD.shape[:2], 1)
        return Output(y_BLD @ self.embedding.weight.T, [decision])
