"""Codecs: joint source-channel encoders and decoders, analytic, classical and neural."""

from jscc_sim.codecs.base import BitCodec, Codec
from jscc_sim.codecs.block import BCH_15_7, HAMMING_7_4, BlockCode, Repetition
from jscc_sim.codecs.convolutional import Convolutional
from jscc_sim.codecs.fec import LDPC
from jscc_sim.codecs.linear import KLT, Linear
from jscc_sim.codecs.neural import NeuralCodec

CODECS: dict[str, type[Codec]] = {
    "block": BlockCode,
    "convolutional": Convolutional,
    "klt": KLT,
    "ldpc": LDPC,
    "linear": Linear,
    "neural": NeuralCodec,
    "repetition": Repetition,
}

__all__ = [
    "BCH_15_7",
    "CODECS",
    "HAMMING_7_4",
    "KLT",
    "LDPC",
    "BitCodec",
    "BlockCode",
    "Codec",
    "Convolutional",
    "Linear",
    "NeuralCodec",
    "Repetition",
]
