"""The decoders that can be read and written, by the `model_type` of their configuration."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from moebench.interop.names import Naming
from moebench.models.grouped_query import Heads
from moebench.models.mixtral_2024 import CausalDecoder, DecoderShape, Shared, WithShared
from moebench.moe.experts.swiglu import SwiGLU
from moebench.moe.layer import MoELayer, Sparse
from moebench.moe.routers.top_k import SoftmaxTopK, TopK

Config = Mapping[str, Any]
NAMING = Naming()


@dataclass(frozen=True)
class Architecture:
    """A family of checkpoints: what its configuration calls things, and what it cannot have."""

    model_type: str
    class_name: str  # of transformers
    experts_key: str  # number of experts
    hidden_key: str  # hidden width of an expert
    normalised: bool | str  # whether chosen weights sum to one: a rule, or the key that says it
    norm: Literal["none", "each", "all"] = "none"  # of queries and keys
    bias_key: str = ""  # what says that queries, keys and values have biases; "": never
    shared_key: str = ""  # hidden width of the gated shared expert; "": there is none
    window_key: str = ""  # of the sliding window; "": there is none
    naming: Naming = NAMING
    only: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)  # key -> values supported

    def decoder(self, config: Config) -> dict[str, Any]:
        """Return the arguments of `CausalDecoder`.

        Raises:
            ValueError: naming a key that is missing or has a value that is not supported.
        """
        for key, allowed in {"hidden_act": ("silu",), **self.only}.items():
            if config.get(key, allowed[0]) not in allowed:
                listed = " or ".join(map(str, allowed))
                raise ValueError(f"config.{key}={config[key]}: not supported, only {listed}")
        router = TopK if self._sums_to_one(config) else SoftmaxTopK
        count = config.get(self.experts_key, config.get("num_local_experts"))
        if count is None:
            raise ValueError(f"config.{self.experts_key}: missing")
        k, hidden = need(config, "num_experts_per_tok"), need(config, self.hidden_key)
        shared = Shared(need(config, self.shared_key), gated=True) if self.shared_key else None
        return {
            "vocabulary": need(config, "vocab_size"),
            "shape": DecoderShape(
                width=need(config, "hidden_size"),
                layers=need(config, "num_hidden_layers"),
                hidden=need(config, "intermediate_size"),
                epsilon=need(config, "rms_norm_eps"),
                tied=bool(config.get("tie_word_embeddings", False)),
            ),
            "heads": self._heads(config),
            "sparse": Sparse(
                partial(router, num_experts=count, k=k),
                partial(SwiGLU, hidden=hidden),
                every=config.get("decoder_sparse_step", 1),
            ),
            "leading": _leading(config),
            "shared": shared,
        }

    def _sums_to_one(self, config: Config) -> bool:
        if isinstance(self.normalised, bool):
            return self.normalised
        return bool(config.get(self.normalised, False))

    def _heads(self, config: Config) -> Heads:
        """Return the heads of a configuration."""
        heads = need(config, "num_attention_heads")
        return Heads(
            heads=heads,
            key_value_heads=config.get("num_key_value_heads") or heads,
            size=config.get("head_dim") or need(config, "hidden_size") // heads,
            window=(config.get(self.window_key) or None) if self.window_key else None,
            theta=_theta(config),
            bias=bool(self.bias_key) and bool(config.get(self.bias_key, True)),
            norm=self.norm,
        )

    def config(self, model: CausalDecoder) -> dict[str, Any]:
        """Return the configuration of a model, as near as this family comes to it."""
        shape, heads = model.shape, model.heads
        first = next(mixtures_of(model))
        shared = [part for part in model.modules() if isinstance(part, WithShared)]
        found: dict[str, Any] = {
            "architectures": [self.class_name],
            "model_type": self.model_type,
            "vocab_size": model.embedding.num_embeddings,
            "hidden_size": shape.width,
            "num_hidden_layers": shape.layers,
            "intermediate_size": shape.hidden,
            "rms_norm_eps": shape.epsilon,
            "tie_word_embeddings": shape.tied,
            "num_attention_heads": heads.heads,
            "num_key_value_heads": heads.key_value_heads,
            "head_dim": heads.size,
            "rope_parameters": {"rope_type": "default", "rope_theta": heads.theta},
            "hidden_act": "silu",
            "num_experts_per_tok": getattr(first.router, "k", None),
            self.experts_key: first.router.num_experts,
            "decoder_sparse_step": model.every,
            "mlp_only_layers": list(range(model.leading)),
        }
        if isinstance(first.experts, SwiGLU):
            found[self.hidden_key] = first.experts.down_EFD.shape[1]
        if isinstance(self.normalised, str):
            found[self.normalised] = isinstance(first.router, TopK)
        if self.bias_key:
            found[self.bias_key] = heads.bias
        if self.window_key:
            found[self.window_key] = heads.window
        if self.shared_key and shared:
            found[self.shared_key] = shared[0].shared.up.out_features
        return found


def mixtures_of(model: CausalDecoder) -> Iterator[Any]:
    """Yield the mixtures by depth."""
    return (part for part in model.modules() if isinstance(part, MoELayer))


def need(config: Config, key: str) -> Any:
    """Return a value of a configuration; ValueError if it is not there."""
    if config.get(key) is None:
        raise ValueError(f"config.{key}: missing")
    return config[key]


def _theta(config: Config) -> float:
    """Return the base of the rotary positions."""
    rotary = config.get("rope_parameters") or config.get("rope_scaling") or {}
    kind = rotary.get("rope_type", rotary.get("type", "default"))
    if kind != "default":
        raise ValueError(f"config.rope_parameters.rope_type={kind}: not supported, only default")
    theta: float = rotary.get("rope_theta") or config.get("rope_theta") or 10_000.0
    return theta


def _leading(config: Config) -> int:
    """Return how many first layers stay dense."""
    layers = list(config.get("mlp_only_layers") or ())
    if layers != list(range(len(layers))):
        raise ValueError(f"config.mlp_only_layers={layers}: not supported, only the first ones")
    return len(layers)


NO_BIAS = {"attention_bias": (False,)}
ALL_SPARSE = {"decoder_sparse_step": (1,), "mlp_only_layers": ([],)}
ARCHITECTURES = {
    found.model_type: found
    for found in (
        Architecture(
            model_type="mixtral",
            class_name="MixtralForCausalLM",
            experts_key="num_local_experts",
            hidden_key="intermediate_size",
            normalised=True,
            window_key="sliding_window",
            naming=Naming("block_sparse_moe", gate="w1", up="w3", down="w2"),
            only=ALL_SPARSE,
        ),
        Architecture(
            model_type="olmoe",
            class_name="OlmoeForCausalLM",
            experts_key="num_experts",
            hidden_key="intermediate_size",
            normalised="norm_topk_prob",
            norm="all",
            only={**NO_BIAS, **ALL_SPARSE, "clip_qkv": (None,)},
        ),
        Architecture(
            model_type="qwen2_moe",
            class_name="Qwen2MoeForCausalLM",
            experts_key="num_experts",
            hidden_key="moe_intermediate_size",
            normalised="norm_topk_prob",
            bias_key="qkv_bias",
            shared_key="shared_expert_intermediate_size",
            only={"use_sliding_window": (False,)},
        ),
        Architecture(
            model_type="qwen3_moe",
            class_name="Qwen3MoeForCausalLM",
            experts_key="num_experts",
            hidden_key="moe_intermediate_size",
            normalised="norm_topk_prob",
            norm="each",
            only={**NO_BIAS, "use_sliding_window": (False,)},
        ),
    )
}
