"""The models of the papers, built from the same parts."""

from moebench.models.lstm_moe_2017 import LstmMoE
from moebench.models.mixtral_2024 import Mixtral
from moebench.models.switch_t5_2021 import Decoder, EncoderDecoder

MODELS = {
    "decoder": Decoder,
    "encoder_decoder": EncoderDecoder,
    "lstm_moe": LstmMoE,
    "mixtral": Mixtral,
}

__all__ = ["MODELS", "Decoder", "EncoderDecoder", "LstmMoE", "Mixtral"]
