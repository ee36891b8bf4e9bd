"""Reads and writes Hugging Face checkpoints and reads single blocks, without transformers.

| checkpoint | `model_type` |
| --- | --- |
| Mixtral | mixtral |
| OLMoE | olmoe |
| Qwen1.5-MoE, Qwen2-MoE | qwen2_moe |
| Qwen3-MoE | qwen3_moe |
| DeepSeek-V2, V2-Lite | deepseek_v2 |
| DeepSeek-V3 | deepseek_v3 |
| dots.llm1 | dots1 |
| GLM-4.5, GLM-4.6 | glm4_moe |
| GLM-4.7-Flash | glm4_moe_lite |
| MiniMax-M2 | minimax_m2 |
| Hunyuan-A13B | hunyuan_v1_moe |
| Granite 3.0 and 3.1, 1B-A400M and 3B-A800M | granitemoe |
| the same with shared experts | granitemoeshared |
| ERNIE 4.5 21B-A3B and 300B-A47B | ernie4_5_moe |

A checkpoint is read as transformers reads it. Writing refuses a model with any property that the
format cannot express.
"""

from moebench.interop.loading import from_pretrained
from moebench.interop.single_blocks import layer_from
from moebench.interop.writing import save_pretrained

__all__ = ["from_pretrained", "layer_from", "save_pretrained"]
