"""What a model writes: a prompt, and the text that it puts after it."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from moebench.data.published import Codec
from moebench.interop.trained import TrainedModel, open_model
from moebench.models.sampling import Sampling, generate_batch
from moebench.models.sampling import generate as next_tokens
from moebench.run.machine import device_of


@dataclass(frozen=True)
class GenerateOptions:
    """What a person may choose."""

    model: Path
    prompts: Sequence[str]
    tokens: int  # most to write after each
    sampling: Sampling
    dtype: str | None = None
    device: str | None = None  # None: a GPU where there is one


@dataclass
class Text:
    """A prompt and what has been written after it."""

    prompt: str
    ids: list[int]  # of the prompt
    count: int  # most tokens that may follow
    found: list[int] = field(default_factory=list)

    def written(self, codec: Codec) -> str:
        """Return prompt and continuation up to its last whole letter."""
        # All of it anew: a letter may be made of several tokens.
        more = codec.decode([*self.ids, *self.found])[len(codec.decode(self.ids)) :]
        return self.prompt + more.rstrip("\N{REPLACEMENT CHARACTER}")


def generate(options: GenerateOptions) -> int:
    """Print each prompt and what the model writes after it; return the exit status.

    A single text is printed as it comes, several are when all are done, an empty line between them.

    Raises:
        ValueError: if a prompt is longer than the model's context.
    """
    device = device_of(options.device)
    model = open_model(options.model, options.dtype)
    model.network.to(device)
    texts = [Text(p, *fitted(model, p, options.tokens)) for p in options.prompts]
    shown = ""
    if len(texts) == 1:
        shown = options.prompts[0]
        print(shown, end="", flush=True)
    prompts, counts = [text.ids for text in texts], [text.count for text in texts]
    for step in generate_batch(model.network, prompts, counts, options.sampling, model.ends):
        for text, token in zip(texts, step, strict=True):
            text.found += [] if token is None else [token]
        if len(texts) == 1:
            written = texts[0].written(model.codec)
            print(written[len(shown) :], end="", flush=True)
            shown = written
    print("\n\n".join(text.written(model.codec) for text in texts)[len(shown) :])
    for text in texts:
        if len(text.found) == text.count < options.tokens:
            room = f"{len(text.ids)} of the prompt and {text.count} new ones"
            print(f"(the context of {model.context} tokens is full: {room})", file=sys.stderr)
    return 0


def continuation(model: TrainedModel, prompt: str, tokens: int, sampling: Sampling) -> str:
    """Return a prompt and what a model writes after it, all at once.

    Raises:
        ValueError: as for `generate`.
    """
    text = Text(prompt, *fitted(model, prompt, tokens))
    text.found += next_tokens(model.network, text.ids, text.count, sampling, model.ends)
    return text.written(model.codec)


def fitted(model: TrainedModel, prompt: str, tokens: int) -> tuple[list[int], int]:
    """Return the ids of a prompt, and how many tokens may follow.

    Raises:
        ValueError: if the prompt does not fit the context with one token after it, has a token
            that the model does not know, or no token is asked for.
    """
    if tokens < 1:
        raise ValueError(f"tokens={tokens}: must be at least 1")
    [text] = model.codec.encode([prompt])
    ids = [*model.beginning, *text]
    if (largest := max(ids, default=0)) >= model.vocabulary:
        raise ValueError(
            f"prompt: the tokenizer gives token {largest}, and the model has {model.vocabulary}; "
            "they do not belong together"
        )
    if len(ids) >= model.context:
        raise ValueError(
            f"prompt: has {len(ids)} tokens, and the model's context of {model.context} must hold "
            "one more; shorten it"
        )
    return ids, min(tokens, model.context - len(ids))
