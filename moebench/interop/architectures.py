"""The architectures that can be read and written, by the `model_type` of config.json."""

from moebench.interop.deepseek_v2 import DEEPSEEK_V2
from moebench.interop.deepseek_v3 import DEEPSEEK_V3
from moebench.interop.mixtral import MIXTRAL
from moebench.interop.olmoe import OLMOE
from moebench.interop.qwen2_moe import QWEN2_MOE
from moebench.interop.qwen3_moe import QWEN3_MOE

ARCHITECTURES = {
    architecture.model_type: architecture
    for architecture in (MIXTRAL, OLMOE, QWEN2_MOE, QWEN3_MOE, DEEPSEEK_V2, DEEPSEEK_V3)
}
