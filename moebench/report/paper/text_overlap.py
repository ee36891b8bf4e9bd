"""How much of the validation text also occurs in the training text, by the records, in words."""

from collections.abc import Iterable, Mapping

from moebench.evidence.record import RunRecord

NAME = "data/overlap"  # of the metric; with /<domain>, of a part of it


def overlaps(records: Iterable[RunRecord]) -> list[dict[str, float]]:
    """Return the metrics of the overlap; records with equal ones share an entry."""
    found: list[dict[str, float]] = []
    for record in records:
        shares = {name: share for name, share in record.metrics.items() if name.startswith(NAME)}
        if NAME in shares and shares not in found:
            found.append(shares)
    return found


def overlap_told(found: Iterable[Mapping[str, float]]) -> str:
    """Return what `overlaps` found as a sentence without its full stop; empty if it found nothing.

    A share is one of all stretches of 32 tokens in the validation text; those of domains follow.
    """
    what = "Validation text that the training text has too, in stretches of 32 tokens"
    shares = "; ".join(map(_share, found))
    return shares and f"{what}: {shares}"


def _share(metrics: Mapping[str, float]) -> str:
    """Return the share of all, and in brackets that of each domain where there are several."""
    domains = {name.removeprefix(f"{NAME}/"): share for name, share in metrics.items()}
    total = domains.pop(NAME)
    parts = ", ".join(f"{domain} {share:.2%}" for domain, share in domains.items())
    return f"{total:.2%}" + (f" ({parts})" if len(domains) > 1 else "")
