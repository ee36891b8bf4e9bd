"""The text of installed packages: how much of which files, and whether it is the committed one."""

import json
import logging
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from moebench.data.separation import separate
from moebench.data.sources import Packages, packages
from moebench.data.sources.source import digest_by_domain


def test_packages_are_split_by_file_and_twins_stay_together() -> None:
    documents = separate(Packages(["cpp"], megabytes_per_domain=8).documents()).documents
    assert len({d.name for d in documents}) == len({d.text for d in documents}) == len(documents)
    held_out = sum(len(d.text) for d in documents if d.split == "valid")
    assert 0.02 < held_out / sum(len(d.text) for d in documents) < 0.15
    side = {d.name: d.split for d in documents}
    twins = [n for n in side if "512" in n and n.replace("512", "256") in side]
    assert twins
    assert all(side[name] == side[name.replace("512", "256")] for name in twins)
    assert all(name.startswith("torch/include/") and "cuda" not in name.lower() for name in side)


def test_packages_take_as_much_as_asked_in_a_fixed_shuffle() -> None:
    small = list(Packages(["python"], megabytes_per_domain=0.3).documents())
    large = list(Packages(["python"], megabytes_per_domain=0.6).documents())
    assert large[: len(small)] == small
    sizes = [len(d.text.encode()) for d in small]
    assert sum(sizes[:-1]) < 300_000 <= sum(sizes)
    names = [d.name for d in large]
    assert names != sorted(names)


def test_no_sentence_occurs_in_the_english_twice() -> None:
    pieces = [
        piece
        for document in Packages(["english"], megabytes_per_domain=0.1).documents()
        for piece in document.text.split("\n\n")
    ]
    assert len(set(pieces)) == len(pieces) > 100


def test_committed_versions_are_those_of_all_packages() -> None:
    committed = json.loads(Path(packages.__file__).with_name("packages.json").read_text())
    names = {n for recipe in packages._RECIPES.values() for n in recipe.packages}
    assert set(committed["versions"]) == names
    assert committed["megabytes_per_domain"] == Packages().megabytes_per_domain


def test_record_then_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The one log line: silent on equal text, names versions that differ, else says they agree."""
    versions = packages._versions(["cpp"])
    committed = {"megabytes_per_domain": 6.0, "versions": versions, "digests": {"cpp": "abc"}}
    path = tmp_path / "packages.json"
    path.write_text(json.dumps(committed))
    monkeypatch.setattr(packages, "_COMMITTED", path)
    source = Packages(["cpp"])
    source.check({"cpp": "abc"})
    assert not caplog.messages
    source.check({"cpp": "other"})
    (message,) = caplog.messages
    assert message == (
        "The text of cpp is not the committed one: "
        "the versions agree, but the files of a package differ"
    )
    caplog.clear()
    Packages(["cpp"], megabytes_per_domain=1).check({"cpp": "other"})
    assert not caplog.messages, "at another size, only versions can be compared"
    path.write_text(json.dumps(committed | {"versions": {"torch": "1.0"}}))
    source.check({"cpp": "other"})
    (message,) = caplog.messages
    assert message.endswith(f"torch is {versions['torch']}, expected 1.0")
    assert caplog.records[0].levelno == logging.WARNING


def test_record_writes_what_check_accepts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(packages, "_RECIPES", {"cpp": packages._RECIPES["cpp"]})
    monkeypatch.setattr(Packages.__init__, "__defaults__", (("cpp",), 0.2))
    packages.record(tmp_path / "packages.json")
    monkeypatch.setattr(packages, "_COMMITTED", tmp_path / "packages.json")
    source = Packages()
    source.check(digest_by_domain(separate(source.documents()).documents))
    assert not caplog.messages


def test_packages_have_a_fingerprint_of_what_the_installer_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = Packages(["cpp"]).fingerprint()
    assert Packages(["cpp"]).fingerprint() == before
    assert Packages(["cpp"], megabytes_per_domain=1).fingerprint() != before
    assert Packages(["python"]).fingerprint() != before
    torch = metadata.distribution("torch")
    lists = {"RECORD": torch.read_text("RECORD") or ""}
    installed = SimpleNamespace(version=torch.version, read_text=lists.get)
    monkeypatch.setattr(metadata, "distribution", lambda name: installed)
    assert Packages(["cpp"]).fingerprint() == before
    lists["RECORD"] = lists["RECORD"].replace("torch/include/c10/", "torch/include/c11/", 1)
    assert Packages(["cpp"]).fingerprint() != before


def test_packages_that_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    with pytest.raises(ValueError, match=r"^source\.domains: no text for 'cpp'; install .* torch$"):
        list(Packages(["cpp"]).documents())


@pytest.mark.parametrize("domains", [[], ["latin"], ["cpp", "cpp"]])
def test_unknown_domains(domains: list[str]) -> None:
    with pytest.raises(ValueError, match=r"^source\.domains=\[.*python, cpp, english, each once$"):
        Packages(domains)


def test_no_megabytes() -> None:
    with pytest.raises(ValueError, match=r"^source\.megabytes_per_domain=0: must be above 0$"):
        Packages(megabytes_per_domain=0)
