"""Numbers that the paper prints, and the dimensions of its released 16B model.

Source: Dai et al. 2024 (arXiv 2401.06066), Tables 1 to 4 and section 5.1; widths of feed-forward
blocks and the size of the vocabulary are those of the configuration released with the model.
"""

PILE = {"deepseek": 1.808, "gshard": 1.867, "switch": 1.881, "hash": 1.932, "dense": 2.060}
FLOPS = {"DeepSeekMoE 16B": 74.4, "DeepSeek 7B": 183.5, "LLaMA2 7B": 187.9}  # tera, 4K tokens
CONTEXT = 4096
MODEL_16B = {
    "width": 2048,
    "layers": 28,
    "heads": 16,
    "dense_layers": 1,
    "dense_hidden": 10944,
    "expert_hidden": 1408,
    "routed": 64,
    "k": 6,
    "shared": 2,
    "vocabulary": 102400,
}
ROUTED = ((16, 2), (63, 7), (64, 6), (8, 1))  # numbers N' of routed experts and K' of their picks
