"""What an account says of finer and shared experts, judged as DeepSeekMoE's claims by its runs."""

from dataclasses import replace
from typing import Any

from moebench.papers.claim import Claim
from reproductions.deepseekmoe_2024.claims import TRAINED

AS = {claim.key: claim for claim in TRAINED}
ACCOUNT: dict[str, Any] = {
    "source": "a secondary account of mixtures of experts in depth",
    "paper_values": {},
    "runs_of": "deepseek",
    "caution": "",
}
CONTROL: dict[str, Any] = {"control_of": "N3-06", "runs_of": "deepseek", "source": "none"}

CLAIMS_GRANULARITY: list[Claim] = [
    replace(
        AS["DM24-01a"],
        key="N3-06",
        says="Finer experts with one that is always on use parameters better: their loss is lower "
        "than that of top-2 with as many, total and active",
        **ACCOUNT,
    ),
    replace(AS["DM24-01ap"], key="N3-06p", **CONTROL),
    replace(AS["DM24-01an"], key="N3-06n", **CONTROL),
    replace(
        AS["DM24-04"],
        key="N3-06a",
        says="Each of the two helps: finer experts, and one that is always on",
        **{
            **ACCOUNT,
            "caution": "the one that is always on takes the place of one of the chosen: without "
            "finer experts, top-2 then becomes top-1",
        },
    ),
]
