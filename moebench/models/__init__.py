"""The models of the papers, built from the same parts."""

from moebench.models.decoder import RotaryDecoder
from moebench.models.encoder_decoder import Decoder, EncoderDecoder
from moebench.models.lstm import LstmMoE

MODELS = {
    "decoder": Decoder,
    "encoder_decoder": EncoderDecoder,
    "lstm_moe": LstmMoE,
    "rotary_decoder": RotaryDecoder,
}

Mixtral = RotaryDecoder  # its former name, in the configurations of older runs

__all__ = ["MODELS", "Decoder", "EncoderDecoder", "LstmMoE", "RotaryDecoder"]
