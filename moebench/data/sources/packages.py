"""Text that every installation already has: the code and the docstrings of the dependencies.

Machines with equal versions have equal text: only files that an installed package lists itself are
read (stray files are not). What differs between builds of one version is left out: version and
configuration files, generated code, and files named after an accelerator, so that PyTorch's builds
for CPU and for CUDA should agree; the committed digests were made with the CPU build for Linux.
Every run still checks whether the machine has the committed text.

To update `packages.json` after a change of versions:
`python -c "from moebench.data.sources.packages import record; record()"`.
"""

import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from itertools import chain
from os import PathLike
from pathlib import Path

from moebench.data.sources.prose import paragraphs
from moebench.data.sources.source import Document, digest_by_domain, digest_of

_COMMITTED = Path(__file__).with_name("packages.json")
_SMALLEST, _LARGEST = 500, 300_000  # bytes of a file; larger files are mostly tables
_LEFT_OUT = re.compile(
    r"(^|/)(tests?|testing|_?vendor|protos|externals|db_migrations)/"
    r"|version|__config__|/Config\.h|cmake_macros|_distributor|_pb2|antlr|autoheuristic|generated"
    r"|cuda|cudnn|hip|xpu|mps|metal|rocm|miopen|mkl",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Recipe:
    packages: tuple[str, ...]
    wanted: re.Pattern[str]
    texts: Callable[[str], Iterator[str]]  # yields the text in a file, piece by piece


def _whole(text: str) -> Iterator[str]:
    yield text


# No file serves two domains, so that no sentence occurs in two of them.
_RECIPES = {
    "python": _Recipe(("torch", "mlflow", "optuna"), re.compile(r"\w.*\.py"), _whole),
    "cpp": _Recipe(
        ("torch",),
        re.compile(r"torch/include/(c10|torch/csrc|ATen/(core|native|cpu|functorch))/.*\.h"),
        _whole,
    ),
    "english": _Recipe(
        ("sympy", "scipy", "numpy", "pandas", "scikit-learn", "matplotlib", "networkx"),
        re.compile(r"\w.*\.py"),
        paragraphs,
    ),
}


class Packages:
    """Python code, C++ headers and English docstrings of the dependencies; needs no download.

    About one file in twenty is for validation. Files whose paths differ in digits alone, such as
    `vec256_float.h` and `vec512_float.h`, stay in one split.

    Args:
        domains: some of `python`, `cpp`, `english`, in the order of their numbers.
        megabytes_per_domain: text to take from each, in 10^6 bytes; less if there is less.

    Raises:
        ValueError: if a domain is unknown or named twice, or the size is not above 0.
    """

    def __init__(
        self,
        domains: Sequence[str] = ("python", "cpp", "english"),
        megabytes_per_domain: float = 6.0,
    ) -> None:
        if not domains or len(set(domains)) < len(domains) or set(domains) - set(_RECIPES):
            raise ValueError(
                f"source.domains={list(domains)}: must be one or more of {', '.join(_RECIPES)}, "
                "each once"
            )
        if not megabytes_per_domain > 0:
            raise ValueError(f"source.megabytes_per_domain={megabytes_per_domain}: must be above 0")
        self.domains = tuple(domains)
        self.megabytes_per_domain = float(megabytes_per_domain)

    def fingerprint(self) -> str:
        """Return a digest of the recipes and of what the installer recorded about every file.

        The files themselves are not read: that takes a third of a second, in every run.
        """
        rules = f"packages {self.megabytes_per_domain} {_LEFT_OUT.pattern} {_SMALLEST} {_LARGEST}"
        lists = (
            f"{domain} {_RECIPES[domain].wanted.pattern} {package} {_installed(package)}"
            for domain in self.domains
            for package in _RECIPES[domain].packages
        )
        return digest_of(chain([rules], lists))

    def documents(self) -> Iterator[Document]:
        """Yield the documents of one domain after the other, files in the order of a hash.

        A piece of text that occurred earlier in the domain is left out.

        Raises:
            ValueError: if no package of a domain is installed.
        """
        for domain in self.domains:
            yield from _documents(domain, int(self.megabytes_per_domain * 1e6))

    def check(self, digests: Mapping[str, str]) -> None:
        """Warn if the text differs from the committed one, and say why.

        If its size differs from the committed one, only the versions can be compared.
        """
        committed = json.loads(_COMMITTED.read_text(encoding="utf-8"))
        changed = [name for name in digests if digests[name] != committed["digests"][name]]
        expected = committed["versions"]
        differences = [
            f"{package} is {version}, expected {expected[package]}"
            for package, version in _versions(changed).items()
            if version != expected[package]
        ]
        same_size = self.megabytes_per_domain == committed["megabytes_per_domain"]
        if differences or (changed and same_size):
            logging.getLogger(__name__).warning(
                "The text of %s is not the committed one: %s",
                ", ".join(changed),
                "; ".join(differences) or "the versions agree, but the files of a package differ",
            )


def record(path: Path = _COMMITTED) -> None:
    """Write the versions and digests of this installation as the expected ones."""
    from moebench.data.separation import separate  # here, as it imports the sources itself

    source = Packages()
    expected = {
        "megabytes_per_domain": source.megabytes_per_domain,
        "versions": _versions(source.domains),
        "digests": digest_by_domain(separate(source.documents()).documents),
    }
    path.write_text(json.dumps(expected, indent=2) + "\n", encoding="utf-8")


def _versions(domains: Iterable[str]) -> dict[str, str]:
    """Return the public version of each package of some domains (2.13.0, not 2.13.0+cpu)."""
    return {name: _version(name) for domain in domains for name in _RECIPES[domain].packages}


def _version(package: str) -> str:
    try:
        return metadata.version(package).partition("+")[0]
    except metadata.PackageNotFoundError:
        return "not installed"


def _installed(package: str) -> str:
    """Return the version of a package and the list of its files with their sizes and hashes."""
    try:
        found = metadata.distribution(package)
    except metadata.PackageNotFoundError:
        return _version(package)
    return f"{found.version} {found.read_text('RECORD')}"


def _files(recipe: _Recipe) -> list[metadata.PackagePath]:
    """Return the files of a domain in the order of the hash of their names: a fixed shuffle."""
    files = [
        file
        for package in recipe.packages
        if _version(package) != "not installed"
        for file in metadata.files(package) or ()
        if recipe.wanted.fullmatch(file.as_posix())
        and not _LEFT_OUT.search(file.as_posix())
        and _SMALLEST <= (file.size or 0) <= _LARGEST
    ]
    return sorted(files, key=lambda file: digest_of([file.as_posix()]))


def _documents(domain: str, limit: int) -> Iterator[Document]:
    """Yield documents up to `limit` bytes; a piece of text that occurred before is left out."""
    size, seen = 0, set[str]()
    for file in _files(_RECIPES[domain]):
        code = _read(file.locate())
        pieces = [piece for piece in _RECIPES[domain].texts(code) if piece not in seen]
        seen.update(pieces)
        text = "\n\n".join(dict.fromkeys(pieces))
        if not text.strip():
            continue
        group = re.sub(r"\d", "", file.as_posix())
        yield Document(file.as_posix(), domain, None, text, group)
        size += len(text.encode())
        if size >= limit:
            return
    if not size:
        packages = ", ".join(_RECIPES[domain].packages)
        raise ValueError(
            f"source.domains: no text for {domain!r}; install at least one of {packages}"
        )


def _read(path: PathLike[str]) -> str:
    """Return a file's text with line feeds for line ends; empty if it is not UTF-8 or missing."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except (UnicodeDecodeError, FileNotFoundError):
        return ""
