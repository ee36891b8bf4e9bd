"""Opening a trained model from Python, to let it write text."""

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from moebench.api.refusing import checking, one_line
from moebench.cli.generate import continuation
from moebench.interop.trained import TrainedModel
from moebench.interop.trained import open_model as opened
from moebench.models.sampling import Sampling


@dataclass(frozen=True)
class Opened:
    """The result of `moebench.open_model`.

    Args:
        trained: the model with its tokenizer.
    """

    trained: TrainedModel

    @property
    def network(self) -> nn.Module:
        """The network, in evaluation mode."""
        return self.trained.network

    @one_line()
    def write(
        self,
        prompt: str,
        tokens: int = 100,
        *,
        temperature: float = 1.0,
        top_p: float = 1.0,
        seed: int = 0,
    ) -> str:
        """Return a prompt and what the model writes after it.

        Args:
            prompt: the beginning of the text.
            tokens: the most to write; fewer if the context is full or the text ends.
            temperature: divides the logits; 0 always takes the likeliest token.
            top_p: draw from the fewest tokens that together have this probability.
            seed: the same seed writes the same text.

        Raises:
            ValueError: if a number is out of range, or the prompt fills the whole context.
        """
        sampling = Sampling(temperature, top_p, seed)
        return continuation(self.trained, prompt, tokens, sampling)


@checking
@one_line()
def open_model(path: str | Path, dtype: str | None = None) -> Opened:
    """Open a trained model of text: a run of `moebench.fit`, or a checkpoint of Hugging Face.

    Args:
        path: the folder of the run or of the checkpoint, or one of the run's `.ckpt` files.
        dtype: of a checkpoint's weights, such as "bfloat16"; by default as they are stored.

    Returns:
        The model: `.network` is the network, and `.write(prompt)` lets it write.

    Raises:
        ValueError: if there is no model, it cannot be read, or it is not a model of text.

    Example:
        model = moebench.open_model("path/to/checkpoint")
        print(model.write("def main", tokens=20, temperature=0.8))
    """
    return Opened(opened(Path(path), dtype))
