"""Help on the keys of a configuration: a page for each part, a line for each key.

Nothing is imported that it tells of, so that it answers at once.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from moebench.cli.part_options import Option, is_of_keys, options_of
from moebench.cli.part_sources import Part, part_of, parts
from moebench.cli.trainer_keys import fixed_keys, trainer_groups, trainer_options
from moebench.papers.nearest import nearest
from moebench.report.tables import table, wrapped

MODEL = ("Training", "moebench.training.module")
ALL = "all"
FEW = 4  # parts of a family whose keys are on its own page
HEAD = ("key", "takes", "default", "what it is")
SINGULAR = {"loss": "losses"}  # key -> family, where they have two names
# Arguments that nobody sets: they come from the part around, the data, or the seed of the run.
GIVEN = {
    **{"model": {"vocabulary"}, "network": {"vocabulary"}},
    **{"data": {"seed"}, "experts": {"num_experts"}},
}
DEFAULTS = {"data": "Text", "source": "Packages", "objective": "NextToken"}
WIDTH = "dim"  # given to every part that asks for it
HOW = """A part is written as its name, or as class_path and init_args; on the command line a key of
it follows its own: --model.network.sparse.router=Switch, then .router.num_experts=8 in the same
way. `moebench list` says what each part does, and --help=NAME what it takes."""


def page(asked: str) -> str:
    """Return the help on a key, on a part, or on all of them.

    Args:
        asked: `model.network.sparse.router`, `router`, `Switch`, the dotted name of a part of one's
            own, `trainer`, or `all`.

    Raises:
        ValueError: if there is nothing of that name; says which are nearest.
    """
    if asked == ALL:
        every = [[model()], *parts().values(), *([one] for one in keyed())]
        return "\n\n".join([*map(_told, every), "\n".join(_trainer())])
    top, _, inner = asked.partition(".")
    if top == "trainer":
        return "\n".join(_of_trainer(inner) if inner else _trainer())
    found = found_at(asked)
    text = _told(found)
    return text if len(found) == 1 else f"{text}\n\n{HOW}"


def model() -> Part:
    """Return the class whose keys stand under `model`."""
    found = part_of(*MODEL)
    assert found is not None
    return found


def found_at(asked: str) -> Sequence[Part]:
    """Return the parts that may stand at a key, or the one of that name.

    Raises:
        ValueError: if there are none.
    """
    first, *inside = [word for word in asked.split(".") if word != "init_args"]
    found = _named(first)
    module, _, name = asked.rpartition(".")
    if not found and module and (own := part_of(name, module)):
        return [own]
    if not found:
        names = [part.name for part in _by_name().values()]
        known = ["model", "data", "trainer", *parts(), *names]
        raise ValueError(f"help={first}: no such key or part; {nearest(first, known)}")
    place = first
    for word in inside:
        options = [option for part in found for option in options_of(part)]
        at_word = [option for option in options if option.name == word]
        chosen = [part for part in found if part.name == word]
        if not at_word and not chosen:
            near = nearest(word, [option.name for option in options])
            raise ValueError(f"help={asked}: {place} has no key {word}; {near}")
        found = chosen or _behind(at_word[0])
        place = word
        if not found:
            kind = at_word[0].kind
            raise ValueError(f"help={asked}: {word} takes {kind} and has no keys of its own")
    return found


@cache
def keyed() -> Sequence[Part]:
    """Return the parts of no family that others are made of, in the order they are met."""
    met: dict[str, Part] = {}
    ahead = [model(), *(part for family in parts().values() for part in family)]
    while ahead:
        part = ahead.pop(0)
        for inner in (one for option in options_of(part) for one in option.inner):
            if inner.name not in met and not family_of(inner) and options_of(inner):
                met[inner.name] = inner
                ahead.append(inner)
    return [*met.values()]


def family_of(part: Part) -> str:
    """Return the key at which a part may stand; empty for one of no family."""
    return next((key for key, family in parts().items() if part in family), "")


def settable(part: Part) -> list[Option]:
    """Return the options of a part that a person sets."""
    place = "model" if part == model() else family_of(part)
    given = {WIDTH, *GIVEN.get(place, ())}
    return [option for option in options_of(part) if option.name not in given]


def _named(word: str) -> Sequence[Part]:
    """Return the parts of a first word: `model`, a family, or the name of one."""
    if word == "model":
        return [model()]
    key = SINGULAR.get(word, word)
    return parts().get(key) or [part for part in [_by_name().get(word.lower())] if part]


@cache
def _by_name() -> dict[str, Part]:
    """Return the name of every part, in small letters -> the part."""
    every = [part for family in parts().values() for part in family]
    return {part.name.lower(): part for part in [*keyed(), *every]}


def _behind(option: Option) -> Sequence[Part]:
    """Return the parts that may stand at an option."""
    dataclasses = [part for part in option.inner if is_of_keys(part)]
    return dataclasses or parts().get(SINGULAR.get(option.name, option.name)) or option.inner


def _told(found: Sequence[Part]) -> str:
    """Return the page of a part, or of those among which one chooses."""
    if len(found) == 1:
        return "\n".join(_one(found[0]))
    rows = [(part.name, part.says) for part in found]
    family = family_of(found[0])
    default = f", {DEFAULTS[family]} by default" if family in DEFAULTS else ""
    lines = [f"{family or 'parts'}: one of these{default}", *table((), rows, indent=2)]
    if len(found) <= FEW:
        for part in found:
            lines += ["", *_one(part)]
    return "\n".join(lines)


def _one(part: Part) -> Iterator[str]:
    """Yield the lines of a part."""
    yield from wrapped(f"{'model' if part == model() else part.name}: {part.says}")
    options = settable(part)
    if options:
        yield from _rows(options)
    else:
        yield "  (it has no keys)"


def _rows(options: Iterable[Option]) -> list[str]:
    """Return a table of options."""
    rows = [(one.name, _kind(one), one.default, _sentence(one.says)) for one in options]
    return table(HEAD, rows, indent=2)


def _kind(option: Option) -> str:
    """Return what an option takes, and where that is told."""
    behind = _behind(option)
    if not behind or not ("part" in option.kind or "keys" in option.kind):
        return option.kind
    family = family_of(behind[0])
    return f"{option.kind} (--help={family if family and len(behind) > 1 else behind[0].name})"


def _sentence(text: str) -> str:
    """Return the first sentence of a text."""
    return re.split(r"(?<!\.)\.(?:$| (?=[A-Z`]))", text)[0]


def _trainer() -> Iterator[str]:
    """Yield the lines of the trainer."""
    yield "trainer: how a run is trained; Lightning's Trainer"
    for title, options in trainer_groups().items():
        yield from ["", title, *_rows(options)]
    yield ""
    others = ", ".join(fixed_keys())
    yield from wrapped(f"with one value only that a run can honour: {others}")


def _of_trainer(name: str) -> Iterator[str]:
    """Yield the lines of one key of the trainer.

    Raises:
        ValueError: for a key that it does not have.
    """
    known = trainer_options()
    if name not in known:
        raise ValueError(f"help=trainer.{name}: no such key; {nearest(name, known)}")
    if name in fixed_keys():
        yield f"trainer.{name}: has one value only that a run can honour: {known[name].default}"
    else:
        yield from _rows([known[name]])
