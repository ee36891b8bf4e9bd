"""What a person is told before anything runs: every option with its default, said alike."""

import argparse
import inspect
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from math import isfinite
from pathlib import Path

import pytest
from pytorch_lightning import Trainer

from benchmarks.quality import parser as quality
from moebench.cli.fit_options import fit_parser
from moebench.cli.keys_help import found_at, page, settable
from moebench.cli.main import COMMANDS, main
from moebench.cli.options import parser
from moebench.cli.overview import PROFILES, SAYS
from moebench.cli.part_options import NEEDED, options_of
from moebench.cli.part_sources import parts
from moebench.cli.trainer_keys import KEYS, fixed_keys
from moebench.experiment.part_registry import FAMILIES
from moebench.experiment.trainer_options import LIMITED, SUPPORTED
from moebench.papers import targets
from moebench.papers.defaults import DEFAULT_DATA, TRAINER_DEFAULTS

COMMON = ("--data", "--field", "--device", "--precision", "--name", "--root")
PAGE = Path(__file__).parents[2] / "docs" / "reproducing.md"


def parsers() -> dict[str, argparse.ArgumentParser]:
    """Every command with its parser."""
    known = next(action for action in parser()._actions if action.dest == "command").choices
    return {**known, "fit": fit_parser(), "quality": quality()}


PARSERS = parsers()


def options(command: str) -> Iterator[argparse.Action]:
    """The options of a command that take a value."""
    for action in PARSERS[command]._actions:
        if action.option_strings and action.nargs != 0:
            yield action


@pytest.mark.parametrize("command", PARSERS)
def test_help_shows_every_default(command: str) -> None:
    missing = [one.option_strings for one in options(command) if "default:" not in str(one.help)]
    needed = [one.option_strings for one in options(command) if one.required]
    assert missing == needed
    told = " ".join(PARSERS[command].format_help().split())
    for one in options(command):
        assert one.option_strings[0] in told
        if isinstance(one.default, int | float) and isfinite(one.default):
            assert f"(default: {one.default})" in told or one.dest == "workers", one.dest


@pytest.mark.parametrize("option", COMMON)
def test_an_option_is_said_alike_everywhere(option: str) -> None:
    found = {
        (one.type, one.metavar, str(one.choices), one.option_strings[0])
        for command in PARSERS
        for one in options(command)
        if option in one.option_strings
    }
    told = {
        str(one.help).partition("(default")[0]
        for command in PARSERS
        for one in options(command)
        if option in one.option_strings
    }
    assert len(found) == 1
    assert len(told) == 1 or option == "--name"  # of what differs


def test_the_page_says_which_command_takes_which_option() -> None:
    rows = re.findall(r"^\| (`--[^|]*) \|[^|]*\|[^|]*\| ([^|]*) \|$", PAGE.read_text(), re.M)
    told = {
        option: set(re.findall(r"`(\w+)`", commands))
        for names, commands in rows
        for option in re.findall(r"--\w+", names)
    }
    for option in COMMON:
        takes = {c for c in PARSERS for one in options(c) if option in one.option_strings}
        assert told[option] == (takes if option != "--root" else set()), option


MADE = {"reproduce-tiny": "reproduce", "sweep-switch": "sweep"}
MADE |= {name: name for name in ("fit", "quality", "analyze", "report", "compare", "mlflow")}


@pytest.mark.parametrize("target", MADE)
def test_make_hands_every_option_on(target: str) -> None:
    value = """it's "odd" `and` in; parts"""
    given = {option: option.strip("-").upper() for option in COMMON}
    printed = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", "--directory", str(PAGE.parents[1]), target]
        + [f"{name}={value}" for name in given.values()],
        env={name: text for name, text in os.environ.items() if "MAKE" not in name},
        capture_output=True,
        text=True,
        check=True,
    )
    words = shlex.split(printed.stdout.strip().splitlines()[-1])
    for option in COMMON:
        takes = any(option in one.option_strings for one in options(MADE[target]))
        assert ((option, value) in pairwise(words)) == takes, words


def test_profiles_are_named_wherever_one_is_chosen() -> None:
    known = {profile.name for found in targets() for profile in found.plan.profiles}
    assert known <= set(PROFILES)
    for command in PARSERS:
        if any(one.dest == "profile" for one in options(command)):
            told = PARSERS[command].format_help()
            for found in targets():
                names = ", ".join(profile.name for profile in found.plan.profiles)
                assert re.search(rf"^ *{found.name} +{names}$", told, re.M)


def test_the_overview_has_every_command() -> None:
    assert set(SAYS) == {"fit", *COMMANDS}
    told = parser().format_help()
    for name, says in SAYS.items():
        assert re.search(rf"^  {name} +\S", told, re.M)
        assert says[:20] in told


@pytest.mark.parametrize("words", [[], ["help"], ["--help"], ["-h"]])
def test_without_a_command_one_is_shown_what_there_is(words: list[str], capsys) -> None:
    try:
        status = main(words)
    except SystemExit as stop:
        status = stop.code
    assert status in (0, None)
    assert capsys.readouterr().out == parser().format_help()


def test_help_of_a_command_by_either_word(capsys) -> None:
    for words in (["help", "fit"], ["fit", "--help"]):
        assert main(words) == 0
        assert capsys.readouterr().out == fit_parser().format_help()


@pytest.mark.parametrize("family", FAMILIES)
def test_keys_are_those_of_the_parts_themselves(family: str) -> None:
    """Their names and defaults in the source are what Python finds when it is imported."""
    for part, kind in zip(parts()[family], FAMILIES[family].values(), strict=True):
        taken = inspect.signature(kind).parameters if "__init__" in vars(kind) else {}
        found = {option.name: option.default for option in options_of(part)}
        assert [*found] == [*taken]
        for name, one in taken.items():
            assert (found[name] == NEEDED) == (one.default is inspect.Parameter.empty)
            if isinstance(one.default, int | float) and not isinstance(one.default, bool):
                assert float(found[name]) == one.default


def test_keys_of_the_trainer_are_those_that_a_run_honours() -> None:
    told = {name for keys in KEYS.values() for name in keys}
    assert set(SUPPORTED) <= told <= {*SUPPORTED, *LIMITED}
    assert told | set(fixed_keys()) == set(inspect.signature(Trainer).parameters)
    shown = page("trainer")
    for name, value in TRAINER_DEFAULTS.items():
        if name in told:
            assert re.search(rf"^  {name} .*\b{str(value).lower()} ", shown, re.M)


@pytest.mark.parametrize(
    ("asked", "keys"),
    [
        ("model", ["network", "losses", "optimizer", "warmup_steps", "router_rate"]),
        ("model.network", ["Decoder", "shape", "sparse"]),
        ("model.network.sparse", ["router", "experts", "dispatcher", "every"]),
        ("model.network.sparse.router", ["Switch", "TopK", "Limited"]),
        ("model.network.init_args.sparse.router", ["Switch", "TopK", "Limited"]),
        ("model.losses", ["loss", "weight", "name"]),
        ("router", ["Switch", "TopK"]),
        ("loss", ["LoadBalance"]),
        ("Switch", ["num_experts", "jitter", "0.01"]),
        ("capacity", ["factor", "1.25", "rounding", "floor or ceil"]),
        ("data", ["Text", "source", "vocabulary", "1024"]),
        ("data.source", ["Files", "path", "field"]),
        ("trainer.max_steps", ["max_steps", "400"]),
        ("trainer.num_nodes", ["num_nodes", "one value"]),
        ("counting.Counting", ["vocabulary", "64"]),
    ],
)
def test_a_page_has_its_keys(
    asked: str, keys: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "counting.py").write_text(
        "class Counting:\n    def __init__(self, vocabulary: int = 64) -> None: ...\n"
    )
    told = page(asked)
    for key in keys:
        assert key in told
    assert told.count("\n") < 60


def test_default_parts_are_told() -> None:
    paths = {"data": DEFAULT_DATA["class_path"]}
    paths |= {key: part["class_path"] for key, part in DEFAULT_DATA["init_args"].items()}
    for family, path in paths.items():
        assert page(family).startswith(f"{family}: one of these, {path.split('.')[-1]} by default")


def test_what_nobody_sets_is_not_told() -> None:
    assert "vocabulary" not in [option.name for option in settable(found_at("model")[0])]
    assert "dim" not in page("Switch")
    assert not re.search(r"^  seed ", page("Text"), re.M)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("modle", "help=modle: no such key or part; the nearest: model"),
        ("Swich", "the nearest: Switch"),
        ("model.netwrk", "model has no key netwrk; the nearest: network"),
        ("model.warmup_steps.more", "warmup_steps takes whole number and has no keys"),
        ("trainer.max_step", "no such key; the nearest: max_steps"),
    ],
)
def test_an_unknown_page_names_the_nearest(asked: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        page(asked)


def test_all_pages_together_have_every_part() -> None:
    told = page("all")
    for family in parts().values():
        for part in family:
            assert part.name in told
