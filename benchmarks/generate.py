"""The time per token when generating text, here and with transformers' `generate`.

Both read the same small checkpoint with Mixtral's architecture and the same prompt, and generate
the same tokens greedily, with a KV cache. Run: `python -m benchmarks.generate`.
"""

import argparse
import tempfile
import time
from collections.abc import Callable

import torch
import transformers

from benchmarks.checkpoint import WIDTH, decoder
from benchmarks.command import number_of_rounds, one_line, parser, whole_number
from benchmarks.timing import ratios, save, table
from moebench.interop import from_pretrained, save_pretrained
from moebench.models.sampling import Sampling, generate

SPECIAL = 3  # ids that do not occur in prompts


def writers(options: argparse.Namespace) -> dict[str, Callable[[], list[int]]]:
    """Return, for each side, a function that continues the same prompt."""
    prompt = torch.randint(SPECIAL, options.vocabulary, (1, options.prompt))
    with tempfile.TemporaryDirectory() as folder:
        sizes = (options.width, options.layers, options.hidden, options.vocabulary)
        save_pretrained(decoder(*sizes), folder)
        ours = from_pretrained(folder)
        theirs = transformers.AutoModelForCausalLM.from_pretrained(folder)
    settings = transformers.GenerationConfig(max_new_tokens=options.tokens, pad_token_id=0)

    def by_us() -> list[int]:
        return list(generate(ours, prompt[0].tolist(), options.tokens, Sampling(temperature=0)))

    def by_transformers() -> list[int]:
        mask = torch.ones_like(prompt)
        written = theirs.generate(prompt, attention_mask=mask, generation_config=settings)
        found: list[int] = written[0, prompt.shape[1] :].tolist()
        return found

    return {"moebench": by_us, "transformers": by_transformers}


@one_line
def main() -> None:
    """Time, print, and append to results.jsonl."""
    made = parser("benchmarks.generate", __doc__)
    made.add_argument("--rounds", type=number_of_rounds, default=5)
    made.add_argument("--width", type=whole_number(multiple_of=WIDTH), default=256)
    made.add_argument("--layers", type=whole_number(), default=4)
    made.add_argument("--hidden", type=whole_number(), default=512)
    made.add_argument("--vocabulary", type=whole_number(SPECIAL + 1), default=4096)
    made.add_argument("--prompt", type=whole_number(), default=64, help="tokens")
    made.add_argument("--tokens", type=whole_number(), default=64, help="to generate")
    made.add_argument("--save", action="store_true", help="append to benchmarks/results.jsonl")
    options = made.parse_args()
    transformers.logging.set_verbosity_error()
    both = writers(options)
    texts = [write() for write in both.values()]
    assert texts[0] == texts[1], "the two generate different tokens"
    seconds: dict[str, list[float]] = {name: [] for name in both}
    for _ in range(options.rounds):
        for name, write in both.items():
            started = time.perf_counter()
            write()
            seconds[name].append((time.perf_counter() - started) / options.tokens)
    print({name: f"{min(values) * 1e3:.2f} ms per token" for name, values in seconds.items()})
    rows = ratios(seconds, against="transformers")
    print(table("time per token over that of transformers", rows))
    if options.save:
        save("generate", {**vars(options), "threads": torch.get_num_threads()}, rows)


if __name__ == "__main__":
    main()
