"""The paper's own figures, printed beside ours.

Source: Jiang et al. 2024, Mixtral of experts (arXiv 2401.04088), Tables 1, 2 and 5.
"""

TABLE_1 = {
    "dim": 4096,
    "n_layers": 32,
    "head_dim": 128,
    "hidden_dim": 14336,
    "n_heads": 32,
    "n_kv_heads": 8,
    "context_len": 32768,
    "vocab_size": 32000,
    "num_experts": 8,
    "top_k_experts": 2,
}
TABLE_2 = {  # scores in %: Mixtral 8x7B, Llama 2 70B
    "MMLU": (70.6, 69.9),
    "HellaSwag": (84.4, 85.4),
    "WinoGrande": (77.2, 80.4),
    "PIQA": (83.6, 82.6),
    "ARC-Easy": (83.1, 79.9),
    "ARC-Challenge": (59.7, 56.5),
    "NaturalQuestions": (30.6, 25.4),
    "TriviaQA": (71.5, 73.0),
    "HumanEval": (40.2, 29.3),
    "MBPP": (60.7, 49.8),
    "MATH": (28.4, 13.8),
    "GSM8K": (74.4, 69.6),
}
LLAMA = 70e9  # parameters of Llama 2 70B, all of them active
LAYERS_5 = (0, 15, 31)
FIRST_5 = {  # % of consecutive tokens with the same first choice, by domain of the Pile
    "arxiv": (14.0, 27.9, 22.7),
    "dm_math": (14.1, 28.4, 19.7),
    "github": (14.9, 28.1, 19.7),
    "gutenberg": (13.9, 26.1, 26.3),
    "philpapers": (13.6, 25.3, 22.1),
    "pubmed": (14.2, 24.6, 22.0),
    "stackexchange": (13.6, 27.2, 23.6),
    "wikipedia_en": (14.4, 23.6, 25.3),
}
EITHER_5 = {  # % with the first or the second choice in common
    "arxiv": (46.5, 62.3, 52.9),
    "dm_math": (44.9, 67.0, 44.5),
    "github": (49.9, 66.9, 49.2),
    "gutenberg": (49.5, 63.1, 52.2),
    "philpapers": (46.9, 61.9, 51.3),
    "pubmed": (48.6, 61.6, 51.8),
    "stackexchange": (48.2, 64.6, 53.6),
    "wikipedia_en": (49.8, 62.1, 51.8),
}
CHANCE_5 = (12.5, 46.43)  # % with an even load and no memory: 1/8, and 1 - C(6,2) / C(8,2)
