"""Which source files a configuration hangs on, and that an edit of any of them is seen."""

import importlib
import py_compile
import sys
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

import pytest

from moebench.experiment.code import class_paths, code_of, code_of_modules
from moebench.run.function import Function

FILES = {
    "their_pkg/__init__.py": "from .router import Router\n",
    "their_pkg/router.py": "import torch\nfrom . import helper\nimport their_pkg.deep.scale\n",
    "their_pkg/helper.py": "def late():\n    import their_single\n",
    "their_pkg/deep/__init__.py": "",
    "their_pkg/deep/scale.py": "import pytest\nK = 1\n",
    "their_pkg/unused.py": "",
    "their_single.py": "from moebench.moe import layer\nimport nowhere\n",
}
USED = {
    *("their_pkg", "their_pkg.router", "their_pkg.helper", "their_pkg.deep"),
    *("their_pkg.deep.scale", "their_single"),
}
CONFIG = {
    "model": {"network": {"router": {"class_path": "their_pkg.Router", "init_args": {"k": 1}}}},
    "trainer": {"callbacks": [{"class_path": "pytorch_lightning.callbacks.Timer"}]},
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_every_class_is_found_at_any_depth() -> None:
    assert list(class_paths(CONFIG)) == ["their_pkg.Router", "pytorch_lightning.callbacks.Timer"]


def test_a_class_is_followed_to_all_that_its_module_imports(folder: Path) -> None:
    found = code_of(CONFIG)
    assert set(found) == {*USED, "pytest"}
    assert found["pytest"] == version("pytest")


@pytest.mark.parametrize("name", [name for name in FILES if "unused" not in name])
def test_an_edit_is_seen(folder: Path, name: str) -> None:
    before = code_of(CONFIG)
    (folder / name).write_text(FILES[name] + "# edited\n")
    after = code_of(CONFIG)
    module = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    assert {key for key in after if after[key] != before[key]} == {module}


def test_an_edit_in_an_archive_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "theirs.zip"
    monkeypatch.syspath_prepend(str(archive))
    found = []
    for text in ("K = 1\n", "K = 2\n"):
        with ZipFile(archive, "w") as file:
            file.writestr("their_zipped/__init__.py", "")
            file.writestr("their_zipped/router.py", text)
        importlib.invalidate_caches()
        found.append(code_of_modules(["their_zipped.router"]))
    assert set(found[0]) == {"their_zipped", "their_zipped.router"}
    assert found[0] != found[1]


@pytest.mark.parametrize("name", ["symtable", "site-packages/their_loose"])
def test_where_a_file_lies_makes_it_neither_standard_nor_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A file by the name of a standard module, and one copied among the installed packages."""
    path = tmp_path / f"{name}.py"
    path.parent.mkdir(exist_ok=True)
    monkeypatch.syspath_prepend(str(path.parent))
    monkeypatch.delitem(sys.modules, path.stem, raising=False)
    path.write_text("K = 1\n")
    before = code_of_modules([path.stem])
    path.write_text("K = 2\n")
    assert set(before) == {path.stem}
    assert code_of_modules([path.stem]) != before


def test_imports_that_only_some_surroundings_have(folder: Path) -> None:
    """A file that is a script and part of a package; one in another version of the language."""
    source = "try:\n    from .helper import K\nexcept ImportError:\n    import their_old\n"
    (folder / "their_both.py").write_text(source)
    (folder / "their_old.py").write_text("print 'two'\n")
    assert set(code_of_modules(["their_both"])) == {"their_both", "their_old"}


def test_an_import_is_seen_wherever_a_statement_may_stand(folder: Path) -> None:
    blocks = [
        "if K: {}\nelif not K: {}\nelse: {}",
        "try: {}\nexcept E: {}\nelse: {}\nfinally: {}",
        "try: {}\nexcept* E: {}",
        "for _ in K: {}\nelse: {}",
        "while K: {}\nelse: {}",
        "with K: {}",
        "match K:\n    case 1: {}\n    case _:\n        if K: {}",
        "def f(): {}",
        "class C:\n    def f(self):\n        {}",
        "async def f():\n    async with K: {}\n    async for _ in K: {}\n    else: {}",
    ]
    text = "\n".join(blocks)
    names = [f"their_{number}" for number in range(text.count("{}"))]
    for name in names:
        (folder / f"{name}.py").touch()
    (folder / "their_nest.py").write_text(text.format(*(f"import {name}" for name in names)))
    assert set(code_of_modules(["their_nest"])) == {"their_nest", *names}


def test_a_module_without_source_counts_with_what_it_has(folder: Path) -> None:
    found = []
    for text in ("K = 1\n", "K = 22\n"):
        (folder / "their_hidden.py").write_text(text)
        py_compile.compile(str(folder / "their_hidden.py"), str(folder / "their_hidden.pyc"))
        (folder / "their_hidden.py").unlink()
        importlib.invalidate_caches()
        found.append(code_of_modules(["their_hidden"]))
    assert set(found[0]) == {"their_hidden"}
    assert found[0] != found[1]


def test_an_edit_elsewhere_changes_nothing(folder: Path) -> None:
    before = code_of(CONFIG)
    (folder / "their_pkg" / "unused.py").write_text("# edited\n")
    assert code_of(CONFIG) == before


def test_our_own_parts_and_what_every_record_names_have_no_entry() -> None:
    paths = ("moebench.moe.routers.TopK", "torch.optim.AdamW", "collections.OrderedDict")
    assert code_of([{"class_path": path} for path in paths]) == {}


def test_a_distribution_may_have_another_name_than_its_package() -> None:
    assert code_of_modules(["yaml"]) == {"yaml": version("PyYAML")}


def test_a_function_hangs_on_its_module(folder: Path) -> None:
    assert "their_single" in Function("their_single:anything").code
