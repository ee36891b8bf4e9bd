"""What a model writes: a prompt, and the text that it puts after it."""

import sys
from dataclasses import dataclass
from pathlib import Path

from moebench.opened import Opened, open_model
from moebench.sampling import Sampling
from moebench.sampling import generate as draw


@dataclass(frozen=True)
class Options:
    """What a person may choose."""

    model: Path
    prompt: str
    tokens: int  # most to write
    sampling: Sampling
    dtype: str | None = None


def generate(options: Options) -> int:
    """Print the prompt and what the model writes after it, as it comes; return the exit status.

    Raises:
        ValueError: if the prompt is longer than the model's context.
    """
    model = open_model(options.model, options.dtype)
    ids, count = fitted(model, options.prompt, options.tokens)
    text = options.prompt
    print(text, end="", flush=True)
    found: list[int] = []
    for token in draw(model.network, ids, count, options.sampling, model.ends):
        found.append(token)
        # All of it anew: a letter may be made of several tokens.
        more = model.codec.decode([*ids, *found])[len(model.codec.decode(ids)) :]
        if not more.endswith("\N{REPLACEMENT CHARACTER}"):
            print((options.prompt + more)[len(text) :], end="", flush=True)
            text = options.prompt + more
    print()
    if len(found) == count < options.tokens:
        room = f"{len(ids)} of the prompt and {count} new ones"
        print(f"(the context of {model.context} tokens is full: {room})", file=sys.stderr)
    return 0


def fitted(model: Opened, prompt: str, tokens: int) -> tuple[list[int], int]:
    """Return the ids of a prompt, and how many tokens may follow.

    Raises:
        ValueError: if the prompt does not fit the context with one token after it, or no token is
            asked for.
    """
    if tokens < 1:
        raise ValueError(f"tokens={tokens}: must be at least 1")
    [text] = model.codec.encode([prompt])
    ids = [*model.beginning, *text]
    if len(ids) >= model.context:
        raise ValueError(
            f"prompt: has {len(ids)} tokens, and the model's context of {model.context} must hold "
            "one more; shorten it"
        )
    return ids, min(tokens, model.context - len(ids))
