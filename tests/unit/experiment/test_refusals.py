"""What is said of a part that a model cannot use."""

from pathlib import Path

import pytest

from moebench.experiment import ConfigurationError, load

CONFIG = Path(__file__).parents[2] / "configs" / "tiny_2026" / "switch_8.yaml"
SPARSE = "model.network.init_args.sparse"


@pytest.mark.parametrize(
    ("key", "parameters", "given", "told"),
    [
        ("router", "num_experts", {"num_experts": 4}, r"sparse.router=.* lacks dim before num_exp"),
        ("experts", "dim, hidden", {"hidden": 4}, "lacks dim, num_experts before hidden"),
        ("router", "", {}, r"Bare: __init__ lacks what a model gives first \(router: dim;"),
        ("experts", "dim", {}, "Bare: __init__ lacks what a model gives first"),
    ],
)
def test_what_a_part_must_take_first_is_named(
    key: str, parameters: str, given: dict[str, int], told: str, tmp_path: Path, monkeypatch
) -> None:
    name = f"bare_{key}_{len(parameters)}"
    listed = ", ".join(["self", *(f"{one}: int" for one in parameters.split(", ") if one)])
    (tmp_path / f"{name}.py").write_text(
        "from torch import nn\n"
        "class Bare(nn.Module):\n"
        f"    def __init__({listed}) -> None:\n"
        "        super().__init__()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    part = {"class_path": f"{name}.Bare", "init_args": given}
    with pytest.raises(ConfigurationError, match=rf"{told}.*see moebench/moe/contract.py$"):
        load([CONFIG], {f"{SPARSE}.{key}": part}).build(logger=False)
