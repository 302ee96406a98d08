"""Codecs: joint source-channel encoders and decoders, analytic, classical and neural."""

from jscc_sim.codecs.base import BitCodec, Codec
from jscc_sim.codecs.block import Repetition
from jscc_sim.codecs.convolutional import Convolutional
from jscc_sim.codecs.fec import LDPC
from jscc_sim.codecs.linear import KLT, Linear
from jscc_sim.codecs.neural import NeuralCodec

CODECS: dict[str, type[Codec]] = {
    "convolutional": Convolutional,
    "klt": KLT,
    "ldpc": LDPC,
    "linear": Linear,
    "neural": NeuralCodec,
    "repetition": Repetition,
}

__all__ = ["CODECS", "KLT", "LDPC", "BitCodec", "Codec", "Convolutional", "Linear", "NeuralCodec", "Repetition"]
