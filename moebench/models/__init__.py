"""The models of the papers, built from the same parts."""

from moebench.models.decoder import Mixtral
from moebench.models.encoder_decoder import Decoder, EncoderDecoder
from moebench.models.lstm import LstmMoE

MODELS = {
    "decoder": Decoder,
    "encoder_decoder": EncoderDecoder,
    "lstm_moe": LstmMoE,
    "mixtral": Mixtral,
}

__all__ = ["MODELS", "Decoder", "EncoderDecoder", "LstmMoE", "Mixtral"]
