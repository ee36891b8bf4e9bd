"""Fine-grained and shared experts, as configuration alone: no part of the layer knows of them.

Source: Dai et al. 2024 (arXiv 2401.06066), sections 3.1 and 3.2, equations 6 to 11.
"""

from moebench.papers.settings import NETWORK

EXPERTS, ACTIVE = 16, 2  # N and K before the split
SHARED = "moebench.moe.experts.shared.Shared"


def layout(
    finer: int = 1, shared: int = 0, active: int = 0, hidden: int = 128
) -> dict[str, object]:
    """Return the settings of m N experts, of which K_s are shared and m K - K_s routed to.

    Expert parameters, and those that process a token, are the same for all m and K_s.

    Args:
        finer: pieces m that each of the N = 16 experts is split into.
        shared: experts K_s that every token visits.
        active: experts of a token, shared ones included; 0: m K with K = 2.
        hidden: width of an expert before the split.

    Raises:
        ValueError: if the split does not come out even, or more experts are shared than fit.
    """
    if finer < 1 or hidden % finer:
        raise ValueError(f"finer={finer}: must divide the hidden width of an expert, {hidden}")
    total, chosen = EXPERTS * finer, active or ACTIVE * finer
    if not 0 <= shared < chosen:
        raise ValueError(
            f"shared={shared}: must lie between 0 and {chosen - 1}; one of the {chosen} active "
            "experts at least is routed to"
        )
    width = hidden // finer
    router = {"num_experts": total - shared, "k": chosen - shared}
    together = {"class_path": SHARED, "init_args": {"hidden": shared * width}}
    return {
        f"{NETWORK}.sparse.router": {"class_path": "SoftmaxTopK", "init_args": router},
        f"{NETWORK}.sparse.experts.init_args.hidden": width,
        f"{NETWORK}.shared": together if shared else None,
    }
