"""A language model of LSTM layers around a mixture of experts, and its dense baselines.

Source: Shazeer et al. 2017 (arXiv 1701.06538), section 5.1 and appendix C.1; the LSTM with a
projection is that of Sak et al. 2014 (arXiv 1402.1128).

The five layers of the paper are embedding, LSTM, mixture, LSTM, softmax. Each but the last is
followed by dropout and, from the second on, has a residual connection. The paper's baselines of
equal cost have another block in the middle (`SingleExpert`, wide or deep), or LSTM layers only.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from moebench.data.contract import TokenBatch
from moebench.models.contract import DenseTwin
from moebench.models.feed_forward import Mixture
from moebench.models.initialise import draw_seed, initialise
from moebench.models.output import Output
from moebench.models.padding import Padding, mask_of
from moebench.moe.decision import RoutingDecision
from moebench.moe.dispatch.grouped import Grouped
from moebench.moe.layer import Sparse

SCALE = 1.0  # of the initial weights: their variance is this over the fan-in
FIRST_WIDTH = 256  # where the search for the width of the dense twin starts


class Lstm(nn.Module):
    """An LSTM layer with D units.

    Args:
        dim: width D of a token.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.lstm = _without_bias(nn.LSTM(dim, dim, batch_first=True))

    def forward(self, x_BLD: Tensor) -> tuple[Tensor, list[RoutingDecision]]:
        """Return y_BLD and no decision."""
        return _recur(self.lstm, x_BLD), []


class ProjectedLstm(nn.Module):
    """An LSTM layer with more units, projected down to D; the next time step gets the projection.

    Args:
        dim: width D of a token.
        hidden: number of units, above D.
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        if hidden <= dim:
            raise ValueError(f"hidden={hidden}: must be above the width {dim} it is projected to")
        self.lstm = _without_bias(nn.LSTM(dim, hidden, proj_size=dim, batch_first=True))

    def forward(self, x_BLD: Tensor) -> tuple[Tensor, list[RoutingDecision]]:
        """Return y_BLD and no decision."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="LSTM with projections")  # slow on CPU
            return _recur(self.lstm, x_BLD), []


def _recur(lstm: nn.LSTM, x_BLD: Tensor) -> Tensor:
    """Return the output of an LSTM at each time step; torch's refuses to take none."""
    y_BLD: Tensor = lstm(x_BLD)[0] if x_BLD.shape[1] else x_BLD
    return y_BLD


def _without_bias(lstm: nn.LSTM) -> nn.LSTM:
    """Set biases to zero: torch draws them from the global generator, so models would differ."""
    for name, parameter in lstm.named_parameters():
        if name.startswith("bias"):
            nn.init.zeros_(parameter)
    return lstm


class SigmoidMixture(nn.Module):
    """A mixture over the tokens of all time steps together, its answer passed through a sigmoid.

    Args:
        dim: width D of a token.
        router: makes the router from the width.
        experts: makes the experts from the width and their number.
        dispatcher: makes the dispatcher.
    """

    def __init__(
        self,
        dim: int,
        router: Callable[[int], nn.Module],
        experts: Callable[[int, int], nn.Module],
        dispatcher: Callable[[], nn.Module] = Grouped,
    ) -> None:
        super().__init__()
        self.mixture = Mixture(Sparse(router, experts, dispatcher).build(dim))

    def forward(
        self, x_BLD: Tensor, mask_BL: Tensor | None = None
    ) -> tuple[Tensor, list[RoutingDecision]]:
        """Return y_BLD and the one decision behind it, over the tokens that are not padding."""
        y_BLD, decisions = self.mixture(x_BLD, mask_BL)
        return y_BLD.sigmoid(), decisions


class SingleExpert(nn.Module):
    """A dense block in place of the mixture: MoE-1-Wide with one hidden layer, -Deep with more.

    Args:
        dim: width D of a token.
        hidden: width F of each hidden layer.
        layers: number of hidden layers.

    Raises:
        ValueError: if a size is below 1.
    """

    def __init__(self, dim: int, hidden: int, layers: int = 1) -> None:
        super().__init__()
        for name, value in (("hidden", hidden), ("layers", layers)):
            if value < 1:
                raise ValueError(f"{name}={value}: must be at least 1")
        widths = [dim, *[hidden] * layers]
        self.hidden = nn.ModuleList(
            nn.Linear(before, after, bias=False) for before, after in pairwise(widths)
        )
        self.down = nn.Linear(hidden, dim, bias=False)

    def forward(
        self, x_BLD: Tensor, mask_BL: Tensor | None = None
    ) -> tuple[Tensor, list[RoutingDecision]]:
        """Return y_BLD and no decision; tokens do not interact here, so padding does no harm."""
        for linear in self.hidden:
            x_BLD = linear(x_BLD).relu()
        y_BLD: Tensor = self.down(x_BLD).sigmoid()
        return y_BLD, []


@dataclass(frozen=True)
class LstmShape:
    """The size of a model: its width, and its recurrent layers before and after the middle.

    Raises:
        ValueError: if a number is out of range.
    """

    width: int = 64  # D of a token
    before: int = 1  # recurrent layers before the middle
    after: int = 1  # recurrent layers after it

    def __post_init__(self) -> None:
        for name, value, least in (
            ("width", self.width, 1),
            ("before", self.before, 0),
            ("after", self.after, 0),
        ):
            if value < least:
                raise ValueError(f"shape.{name}={value}: must be at least {least}")


class LstmMoE(nn.Module):
    """Recurrent layers around a block in the middle; it predicts the next token.

    Args:
        vocabulary: number V of token ids.
        shape: width, and recurrent layers before and after the middle.
        middle: makes the block in the middle from the width; None for none.
        recurrent: makes a recurrent layer from the width.
        dropout: share of the features of each layer's output that is dropped in training.

    Raises:
        ValueError: if a number is out of range.
    """

    causal = True

    def __init__(
        self,
        vocabulary: int,
        shape: LstmShape = LstmShape(),
        middle: Callable[[int], nn.Module] | None = None,
        recurrent: Callable[[int], nn.Module] = Lstm,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if vocabulary < 1:
            raise ValueError(f"vocabulary={vocabulary}: must be at least 1")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout={dropout}: must be at least 0 and below 1")
        seed = draw_seed()
        width = shape.width
        self.embedding = nn.Embedding(vocabulary, width)
        self.before = nn.ModuleList(recurrent(width) for _ in range(shape.before))
        self.middle = None if middle is None else middle(width)
        self.after = nn.ModuleList(recurrent(width) for _ in range(shape.after))
        self.softmax = nn.Linear(width, vocabulary, bias=False)
        self.dropout = nn.Dropout(dropout)
        initialise(self, seed, SCALE)

    def forward(self, batch: TokenBatch) -> Output:
        """Return logits prediction_BLV and the decision of the mixture, if there is one.

        Raises:
            ValueError: if a mask is of another shape than its tokens.
        """
        decisions: list[RoutingDecision] = []
        padding = Padding.of(mask_of(batch))
        x_BLD = self.dropout(self.embedding(padding.left_align(batch.input_BL)))
        middle = [] if self.middle is None else [self.middle]
        for layer in [*self.before, *middle, *self.after]:
            # Only the block in the middle may be a mixture, which needs the mask.
            masked = layer is self.middle and padding.mask_BL is not None
            y_BLD, found = layer(x_BLD, padding.mask_BL) if masked else layer(x_BLD)
            x_BLD = x_BLD + self.dropout(y_BLD)
            decisions += found
        return Output(self.softmax(padding.restore(x_BLD)), decisions)

    @staticmethod
    def dense_twin(arguments: Mapping[str, Any]) -> DenseTwin | None:
        """Return the model with one wide expert in the middle, which is the paper's MoE-1-Wide."""
        middle = arguments.get("middle") or {}
        if middle.get("class_path") != _path(SigmoidMixture):
            return None

        def dense(hidden: int) -> dict[str, Any]:
            inside = {"hidden": hidden, "layers": 1}
            wide = {"class_path": _path(SingleExpert), "init_args": inside}
            return {**arguments, "middle": wide}

        return DenseTwin(dense, FIRST_WIDTH)


def _path(part: type[nn.Module]) -> str:
    """Return the name of a part in a checked configuration."""
    return f"{part.__module__}.{part.__qualname__}"
