"""Handwritten runs and the verdict on them: the basis of tests of claims.

records = runs(sparse=[1.0, 1.9, 2.6], dense=[2.0, 3.0, 3.5])
found = verdict_of(Difference(first="sparse", second="dense", margin=0.1), records)
assert found.verdict is VerdictLabel.REPRODUCED
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from moebench.evidence.record import RunRecord
from moebench.papers.claim import Claim, ClaimTest
from moebench.verdict import Verdict, judge
from moebench.verdict.findings import Findings
from moebench.verdict.paired_runs import Evidence

NOISE = (0.01, -0.01, 0.0, 0.005, -0.005)


def run(arm: str, seed: int = 0, loss: float = 2.0, **changes: Any) -> RunRecord:
    """Return a finished run of 10 steps with 10 tokens and one second each.

    Args:
        arm: its name, also used as its configuration.
        seed: its seed.
        loss: the last validation loss.
        **changes: other fields of the record; `metrics` are added to the loss.
    """
    given = {"target": "x", "profile": "full", "status": "finished", "config_hash": arm}
    costs = {"params_total": 40, "params_active": 20, "flops_per_token": 100.0}
    length = {"steps": 10, "tokens": 100, "tokens_per_second": 10.0}
    metrics = {"valid/loss": loss, **changes.pop("metrics", {})}
    fields = {**given, "commit": "c", **costs, **length, "metrics": metrics, **changes}
    return RunRecord(arm=arm, seed=seed, **fields)


def runs(**losses: Sequence[float]) -> list[RunRecord]:
    """Return runs of every arm with these final losses, for seeds from 0 on."""
    return [run(arm, seed, loss) for arm, row in losses.items() for seed, loss in enumerate(row)]


def around(noise: Sequence[float] = NOISE, **means: float | Mapping[str, float]) -> list[RunRecord]:
    """Return runs of every arm around its mean; each arm shifts the noise by one seed.

    Args:
        noise: the noise of each seed.
        **means: mean loss of each arm, or several means by metric, which then share the noise.
    """
    found = []
    for shift, (arm, mean) in enumerate(means.items()):
        by_name = mean if isinstance(mean, Mapping) else {"valid/loss": mean}
        for seed in range(len(noise)):
            off = noise[(seed + shift) % len(noise)]
            metrics = {name: value + off for name, value in by_name.items()}
            found.append(run(arm, seed, metrics=metrics))
    return found


def claim_of(test: ClaimTest, **changes: Any) -> Claim:
    """Return a claim with this test that asks for 3 seeds and is matched on steps."""
    given = {"key": "X-01", "says": "a beats b", "source": "", "paper_values": {}}
    return Claim(test=test, **{**given, "matched_on": "steps", "seeds": 3, **changes})


def verdict_of(of: Claim | ClaimTest, records: Sequence[RunRecord], **changes: Any) -> Verdict:
    """Return the verdict on a claim, or on a claim with this test, by runs of the profile `full`.

    Args:
        of: the claim or the test.
        records: the runs.
        **changes: changes to the claim.
    """
    claim = replace(of, **changes) if isinstance(of, Claim) else claim_of(of, **changes)
    (verdict,) = judge([claim], records, "full")
    return verdict


def findings_of(test: ClaimTest, records: Sequence[RunRecord]) -> Findings:
    """Return a test's findings on these runs."""
    return test.judge(Evidence.of(test.arms, records))


def states(found: Verdict | Findings) -> list[str]:
    """Return the state of every condition, in order."""
    if isinstance(found, Findings):
        return [one.state for one in found.conditions]
    return [one["state"] for one in found.conditions]
