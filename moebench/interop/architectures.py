"""The architectures that can be read and written, by the `model_type` of config.json."""

from moebench.interop.deepseek_v2 import DEEPSEEK_V2
from moebench.interop.deepseek_v3 import DEEPSEEK_V3
from moebench.interop.dots1 import DOTS1
from moebench.interop.ernie4_5_moe import ERNIE4_5_MOE
from moebench.interop.glm4_moe import GLM4_MOE
from moebench.interop.glm4_moe_lite import GLM4_MOE_LITE
from moebench.interop.granitemoe import GRANITEMOE
from moebench.interop.granitemoeshared import GRANITEMOESHARED
from moebench.interop.hunyuan_v1_moe import HUNYUAN_V1_MOE
from moebench.interop.minimax_m2 import MINIMAX_M2
from moebench.interop.mixtral import MIXTRAL
from moebench.interop.olmoe import OLMOE
from moebench.interop.qwen2_moe import QWEN2_MOE
from moebench.interop.qwen3_moe import QWEN3_MOE

ARCHITECTURES = {
    architecture.model_type: architecture
    for architecture in (
        MIXTRAL,
        OLMOE,
        QWEN2_MOE,
        QWEN3_MOE,
        DEEPSEEK_V2,
        DEEPSEEK_V3,
        DOTS1,
        GLM4_MOE,
        GLM4_MOE_LITE,
        MINIMAX_M2,
        HUNYUAN_V1_MOE,
        GRANITEMOE,
        GRANITEMOESHARED,
        ERNIE4_5_MOE,
    )
}

REFUSED = {  # other decoders with mixtures, and which of their features is missing here
    "dbrx": "LayerNorm, and queries, keys and values that are clipped and stored as one matrix",
    "gpt_oss": "attention sinks, and experts with biases and clamped gates",
    "granitemoehybrid": "state-space layers",
    "jamba": "state-space layers",
    "llama4": "experts whose inputs are scaled, and chunked attention",
    "minimax": "lightning attention",
    "phimoe": "the router SparseMixer, LayerNorm and output with biases, and LongRoPE",
    "qwen3_next": "linear attention",
}
