"""Gates with known loads, constructed rather than trained, for the controls of claims about loads.

All are the paper's noisy gate, over as many experts as in our Table 6. In its initial state it
chooses at random; leaning, it prefers the first experts; collapsed, it sends every token to the
same ones.
"""

from functools import partial

import torch

from moebench.evidence.record import FIRST_FRESH_SEED
from moebench.moe.metrics import METRICS
from moebench.moe.routers import NoisyTopK
from reproductions.shazeer_2017.load_claims import LEANS

EXPERTS, K, TOKENS, DIM = 32, 2, 1536, 8
SEEDS, BATCHES = 5, 20

Metrics = dict[int, dict[str, float]]


def loads(lean: float, first_seed: int) -> Metrics:
    """Return seed -> routing metrics as in a record, averaged over batches.

    Args:
        lean: how much higher the first expert's score is than the last one's.
        first_seed: the first of five seeds.
    """
    return {FIRST_FRESH_SEED + n: _of_seed(lean, first_seed + n) for n in range(SEEDS)}


@torch.no_grad()
def _of_seed(lean: float, seed: int) -> dict[str, float]:
    torch.manual_seed(seed)
    router = NoisyTopK(DIM, EXPERTS, K)
    router.score.weight[:, 0] = torch.linspace(lean, 0.0, EXPERTS)
    found = []
    for _ in range(BATCHES):
        x_TD = torch.randn(TOKENS, DIM)
        x_TD[:, 0] = 1.0
        decision = router(x_TD)
        found.append([metric(decision).double() for metric in METRICS.values()])
    means = torch.tensor(found).mean(dim=0).tolist()
    routing = {f"route/{name}": mean for name, mean in zip(METRICS, means, strict=True)}
    return routing | {f"last_tenth/{name}": mean for name, mean in routing.items()}


collapsed, leaning_far, leaning, leaning_little = (
    partial(loads, lean, FIRST_FRESH_SEED) for lean in LEANS.values()
)
by_lot_1, by_lot_2, by_lot_3, by_lot_4, by_lot_5 = (
    partial(loads, 0.0, FIRST_FRESH_SEED + SEEDS * number) for number in range(1, 6)
)
