"""From records of a GPU to the tables of the page."""

from benchmarks.gpu.layer import PRODUCT
from benchmarks.gpu.tables import BARE, NONE, PAGE, evidence, layer, parity, train, with_tables

LINE = {"status": "measured", "why": "", "kind": "fused", "version": "1", "commit": "c"}
LINE |= {"machine": {"card": "a card"}}


def line(stage: str, item: str, found: dict, **changes: object) -> dict:
    return {**LINE, "stage": stage, "item": item, "found": found, **changes}


def cells(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()[2:]]


def compared(passed: bool, error: float, waits: str) -> dict:
    return {
        "passed": passed,
        "errors": {"output": error, "tokens": 1e-5},
        "allowed": {"errors": 0.02},
        "same bits": {
            "by default": False,
            "deterministic": "RuntimeError: none" if passed else True,
        },
        "waits for the card": {"dispatch": waits},
    }


def test_routers_are_counted_for_each_dispatcher_and_type() -> None:
    """The worst error of any part counts; a reason does not count as equal bits."""
    lines = [
        line("parity", "top_k, fused, bfloat16", compared(True, 0.004, "no")),
        line("parity", "switch, limited, fused, bfloat16", compared(False, 0.3, "it waits")),
    ]
    expected = ["fused", "bfloat16", "1 of 2", "3.0e-01", "2.0e-02", "0 of 2", "1 of 2", "1 of 2"]
    assert cells(parity(lines)) == [expected]


def test_rates_are_shares_of_dense_and_of_a_product() -> None:
    rates = {"moebench fused": 4e14, "dense": 5e14, PRODUCT: 8e14}
    one = {"flops per second": rates}
    both = {"flops per second": {**rates, "moebench fused": 2e14}}
    memory = {"moebench fused": {"activations": 110}, "dense": {"activations": 100}}
    found = {"forward": one, "forward and back": both, "memory": memory}
    found["shape"] = {"tokens": 8, "tokens asked for": 16}
    [row] = cells(layer([line("layer", "Mixtral: moebench fused", found)]))
    assert row[:2] == ["Mixtral, 8 of 16 tokens", "moebench fused"]
    assert row[2:] == ["400", "80%", "50%", "200", "40%", "25%", "1.10"]


def test_each_way_of_training_has_a_row() -> None:
    found = {
        "parameters": 45_000_000,
        "tokens per second": {"this way": 1.5e6, BARE: 1.2e6},
        "time over a bare loop": {"ratio": 0.8, "low": 0.79, "high": 0.82},
        "memory": 2**30,
    }
    [row] = cells(train([line("train", "x: graph, dense", found)]))
    assert row == [
        "x: graph, dense",
        "45.0 M",
        "1.50 M",
        "1.20 M",
        r"0.80 \[0.79, 0.82\]",
        "1,024 MiB",
    ]


def test_calls_say_how_busy_the_gpu_was() -> None:
    found = {"ended": ["a", "b"], "side by side": 16, "steps per second": 123.4}
    asked = evidence([line("evidence", "call 1", {**found, "card": {"busy %": 91.7}})])
    assert cells(asked) == [["call 1", "2", "16", "123", "92", "–"]]


def test_items_not_measured_are_listed_with_their_reasons() -> None:
    lines = [
        line("layer", f"{shape}: sonic-moe", {}, status="missing", why="not installed: sonicmoe")
        for shape in ("one", "two")
    ]
    page = with_tables(PAGE.read_text(), lines)
    assert "| missing: not installed: sonicmoe | one: sonic-moe; two: sonic-moe |" in page
    assert "| card | a card |" in page
    assert page.count(NONE) == 3, "parity, train, evidence"
