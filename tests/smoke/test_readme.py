"""What the README and the guides show works as it is shown: files, commands and examples.

A block of code that begins with the path of a file is that file, whatever follows on the line. All
other Python is run, page by page, in a folder that looks like a checkout and holds these files.
Commands are those of every page, also of papers and benchmarks.
"""

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import reproductions
from moebench.cli.fit_options import fit_options, fit_parser
from moebench.cli.keys_help import page as help_page
from moebench.cli.lookup import judged, kept
from moebench.cli.main import main
from moebench.cli.options import parser
from moebench.cli.recipes import write
from moebench.experiment import load, parse
from moebench.papers import target, targets
from moebench.report import fill
from moebench.run.engines.profile import engine_profile
from moebench.sweeps import read_sweep

ROOT = Path(__file__).parents[2]
FOLDERS = ("*.md", "docs/*.md", "benchmarks/**/*.md", "moebench/**/*.md", "reproductions/*/*.md")
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for folder in FOLDERS
    for path in sorted(ROOT.glob(folder))
}
GUIDES = [page for page in PAGES if page == "README.md" or page.startswith("docs/")]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
LANGUAGES = {"markdown", "python", "sh", "yaml", ""}
NAMED = re.compile(r"# ([\w./]+\.(?:py|yaml))\b")
COMMAND = r"(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?(?:moebench|make|python -m|pip install|pytest) \S"
EXAMPLES = ("path/to/", "runs/")  # what a person has, and a checkout has not
OWN_PAPER = "mine"  # that of the guide
CONTRACTS = """
from mine import Certainty, Coldest
from moebench.testing import LossContract, RouterContract


class TestColdest(RouterContract):
    def make(self, dim, num_experts):
        return Coldest(dim, num_experts)


class TestCertainty(LossContract):
    def make(self):
        return Certainty()
"""
CHEAP = ("list", "explain", "compare", "generate")


def blocks(page: str, language: str) -> list[str]:
    """Code blocks of a language, in order."""
    return [text for name, text in FENCE.findall(PAGES[page]) if name == language]


def files() -> dict[str, str]:
    """Path -> text of every file that a guide shows."""
    found = [
        (match[1], text)
        for page in GUIDES
        for language in ("python", "yaml")
        for text in blocks(page, language)
        if (match := NAMED.match(text))
    ]
    assert len(dict(found)) == len(found), "two files of one name"
    return dict(found)


def commands(page: str) -> Iterator[str]:
    """Every command: lines of blocks, what output is of, and code within sentences."""
    yield from (line for text in blocks(page, "sh") for line in text.splitlines() if line)
    yield from re.findall(r"^\$ (.+)$", "\n".join(blocks(page, "")), re.MULTILINE)
    for paragraph in FENCE.sub("", PAGES[page]).split("\n\n"):
        spans = re.findall("`([^`]+)`", " ".join(paragraph.split()))
        yield from (text.replace("NAME", "switch") for text in spans if re.match(COMMAND, text))


COMMANDS = list(dict.fromkeys(line for page in PAGES for line in commands(page)))
NEW = [line.split()[2:] for line in COMMANDS if line.startswith("moebench new ")]
MODULES = {path.removesuffix(".py").replace("/", ".") for path in files()}
MODULES |= {name for kind, name in NEW if kind != "paper"}


def test_no_command_is_in_a_block_that_nobody_reads() -> None:
    for page, text in PAGES.items():
        marks = re.findall(r"^\s*(?:```|~~~)(.*)$", text, re.MULTILINE)
        assert set(marks[::2]) <= LANGUAGES, page
        assert len(FENCE.findall(text)) == len(marks) / 2, (page, "indented, or without an end")
        rest = "\n".join([*blocks(page, ""), *re.findall(r"\n\n((?: {4}.*\n)+)", text)])
        assert not re.findall(rf"^\s*{COMMAND}.*", rest, re.MULTILINE), page


def test_options_and_variables_are_there() -> None:
    """Those named alone in a sentence, as `--all` or `DATA=`."""
    known = {*options_of(parser()), *options_of(fit_parser()), "--print_config"}
    for page in [*GUIDES, "CONTRIBUTING.md"]:
        text = FENCE.sub("", PAGES[page])
        assert set(re.findall(r"`(--[\w-]+)", text)) <= known, page
        for name in re.findall(r"`([A-Z]+)=", text):
            assert re.search(rf"^{name} \?=", makefile(), re.MULTILINE), (page, name)


def options_of(found: ArgumentParser) -> Iterator[str]:
    """Every option of a parser and of its commands."""
    for action in found._actions:
        yield from action.option_strings
        for command in action.choices.values() if isinstance(action.choices, dict) else ():
            yield from options_of(command)


def test_every_configuration_is_used() -> None:
    """By a command, by a program, or by another configuration."""
    shown = {name for name in files() if name.endswith(".yaml") and not name.startswith("configs/")}
    python = [text for page in GUIDES for text in blocks(page, "python")]
    used = " ".join([*COMMANDS, *python, *(text.partition("\n")[2] for text in files().values())])
    assert shown
    assert {name for name in shown if name not in used} == set()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory, small_text: Path) -> Path:
    """A folder with links to what a checkout has, the files of all pages, and a text."""
    folder = tmp_path_factory.mktemp("checkout")
    for part in ("configs", "reproductions"):  # folders, because pages add files to them
        (folder / part).mkdir()
        for path in (ROOT / part).iterdir():
            (folder / part / path.name).symlink_to(path)
    (folder / "my_texts").symlink_to(small_text)
    for word in [word for line in COMMANDS for word in line.split() if word.startswith(EXAMPLES)]:
        (folder / word).mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for kind, name in [(kind, name) for kind, name in NEW if name != "switch"]:
        write(kind, name, folder)
    (folder / "test_mine.py").write_text(CONTRACTS)
    return folder


@pytest.fixture
def inside(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The same, as the current folder, whose modules are found and forgotten again."""
    monkeypatch.chdir(checkout)
    monkeypatch.syspath_prepend(checkout)
    yield checkout
    for name in MODULES & set(sys.modules):
        del sys.modules[name]


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_is_understood(line: str, inside: Path) -> None:
    check(line)


def check(line: str) -> None:
    """Parse a command as the program that it starts does; what it names has to be there."""
    words = shlex.split(line, comments=True)
    while re.match("[A-Z_]+=", words[0]):
        del words[0]
    program, *words = words
    match program.removeprefix(".venv/bin/"):
        case "make":
            for made in dry_run(words):
                check(made)
        case "moebench":
            check_moebench(words)
        case "python":
            check_module(words[1], words[2:])
        case "pytest":
            assert all(Path(word).exists() or (ROOT / word).exists() for word in words), line
        case _:
            assert line.startswith("pip install "), line


def check_module(name: str, words: list[str]) -> None:
    """Find a module that is a program, and the options that it is given."""
    found = importlib.util.find_spec(name)
    assert found is not None, name
    assert found.origin is not None, name
    path = Path(found.origin)
    text = (path.with_name("__main__.py") if path.name == "__init__.py" else path).read_text()
    for word in words:
        assert not word.startswith("--") or f'"{word}"' in text, word


@cache
def makefile() -> str:
    """What `make` reads."""
    return (ROOT / "Makefile").read_text()


def dry_run(words: list[str]) -> list[str]:
    """The commands of moebench that `make` would start."""
    for word in words:
        name, given, _ = word.partition("=")
        assert not given or f"\n{name} ?=" in makefile(), word
    environment = {name: text for name, text in os.environ.items() if "MAKE" not in name}
    printed = subprocess.run(
        ["make", "--dry-run", "--directory", str(ROOT), *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert printed.returncode == 0, printed.stderr
    made = printed.stdout.replace("\\\n", " ").splitlines()
    return [line.removeprefix(".venv/bin/") for line in made if ".venv/bin/moebench" in line]


def check_moebench(words: list[str]) -> None:
    """Parse what follows `moebench`."""
    known = next(action for action in parser()._actions if action.dest == "command").choices
    if words[0] == "help":
        words = [*words[1:], "--help"]
    assert words[0] in {*known, "--help"}
    if len(words) == 1 or "--help" in words:
        return
    if words[0] == "fit":
        asked = fit_options(words[1:])
        assert help_page(asked.page) if asked.page else parse(words[1:])
        return
    options = parser().parse_args(words)
    for name, value in vars(options).items():
        paths = value if isinstance(value, list) else [value]
        for path in [path for path in paths if isinstance(path, Path) and name != "root"]:
            assert path.exists(), path
    if hasattr(options, "engine"):
        engine_profile(options.engine)
    if options.command == "sweep" and options.file.name in files():
        read_sweep(options.file, options.name)
    named = getattr(options, "target", "")
    if named and named not in (OWN_PAPER, "all", "sweeps"):
        plan = target(named).plan
        assert not options.profile or plan.profile(options.profile)
        assert not hasattr(options, "arm") or plan.arm(options.arm)
    if options.command == "explain":
        assert options.claim in {claim.key for found in targets() for claim in found.claims}


def is_cheap(line: str) -> bool:
    """Say whether a command can be run here: it trains nothing and does not ask MLflow."""
    program, *words = line.split()
    named = len(words) > 1 or words == ["list"]  # more than the name of the command
    return program == "moebench" and words[0] in CHEAP and named and "--target" not in words


@pytest.mark.parametrize("line", filter(is_cheap, COMMANDS))
def test_a_cheap_command_runs(
    line: str, inside: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word.replace("path/to/checkpoint", str(checkpoint)) for word in shlex.split(line)[1:]]
    assert main(words) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize("page", [page for page in GUIDES if blocks(page, "python")])
def test_python_runs(page: str, inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All but whole reproductions, which take their verdicts from the committed records."""
    monkeypatch.setattr(
        "moebench.cli.reproduce.reproduce",
        lambda found, asked: judged(found, kept(found, "", asked.root), "", asked.root),
    )
    names: dict[str, object] = {"__name__": "example"}
    for text in blocks(page, "python"):
        if not NAMED.match(text):
            exec(compile(text, page, "exec"), names)


def test_parts_and_data_keep_their_contracts(
    inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tests = ["test_mine.py", *(name for name in files() if name.startswith("test_"))]
    plugins = ["-p", "no:cacheprovider", "-p", "no:faulthandler", "-p", "no:xdist"]
    status = pytest.main(["-q", *plugins, *tests])
    printed = capsys.readouterr().out
    assert status == 0, printed
    assert " passed" in printed


def test_a_user_paper_is_found(
    inside: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its claims, runs and experiments, and a page that can be filled in."""
    papers = inside / "reproductions"
    (papers / "mine_2026" / "__init__.py").touch()
    monkeypatch.setattr(reproductions, "__path__", [str(papers)])
    found = target(OWN_PAPER)
    for arm in found.plan.arms:
        load([found.configs / name for name in arm.configs], arm.settings)
    assert main(["list"]) == 0
    printed = capsys.readouterr().out
    assert f"make reproduce-{OWN_PAPER} PROFILE=" in printed
    assert all(claim.says in " ".join(printed.split()) for claim in found.claims)
    [page] = blocks("docs/papers.md", "markdown")
    for name in ("verdicts", "reasons", "costs"):
        page = fill(page, name, "")
