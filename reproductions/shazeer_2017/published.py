"""The paper's own figures, printed beside ours.

Source: Shazeer et al. 2017 (arXiv 1701.06538), Tables 6, 7 and 8.
"""

_ROWS_6 = [  # weights of importance and load; test perplexity, CV(importance), CV(load), max/mean
    ("none", 0.0, 0.0, 39.8, 3.04, 3.01, 17.8),
    ("importance_0.2", 0.2, 0.0, 35.6, 0.06, 0.17, 1.47),
    ("load_0.2", 0.0, 0.2, 35.7, 0.22, 0.04, 1.15),
    ("both_0.1", 0.1, 0.1, 35.6, 0.06, 0.05, 1.14),
    ("both_0.01", 0.01, 0.01, 35.7, 0.48, 0.11, 1.37),
    ("both_1", 1.0, 1.0, 35.7, 0.03, 0.02, 1.07),
]
_COLUMNS_6 = ("w_importance", "w_load", "perplexity", "cv_importance", "cv_load", "max_over_mean")
TABLE_6: dict[str, dict[str, float]] = {
    name: dict(zip(_COLUMNS_6, row, strict=True)) for name, *row in _ROWS_6
}
# Test perplexity after 10 epochs; about 8 million multiply-adds per word, except for the last two.
TABLE_7 = {
    "4xLSTM-512": 46.0,
    "LSTM-2048-512": 44.7,
    "MoE-1-Wide": 46.1,
    "MoE-1-Deep": 45.7,
    "MoE-4": 45.0,
    "MoE-32": 39.7,
    "MoE-256": 35.7,
    "MoE-256-h": 36.0,
    "MoE-1024-h": 34.6,
    "MoE-4096-h": 34.1,
    "MoE-34M": 31.3,
    "MoE-143M": 28.0,
}
BEST_PUBLISHED = 34.7  # after 10 epochs, 151 million operations per word
TABLE_8: dict[str, tuple[float | None, float]] = {  # perplexity after 0.1 and 1 epoch
    "4xLSTM-512": (54.5, 47.0),
    "MoE-32": (None, 40.4),
    "MoE-256-h": (None, 35.3),
    "MoE-1024-h": (None, 32.7),
    "MoE-4096-h": (38.9, 30.9),
    "MoE-16384-h": (None, 29.7),
    "MoE-65536-h": (38.2, 28.9),
    "MoE-131072-h": (None, 29.2),
}
