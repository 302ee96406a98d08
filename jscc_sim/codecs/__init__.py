"""Codecs: joint source-channel encoders and decoders, analytic, classical and neural."""

from jscc_sim.codecs.base import BitCodec, Codec, LearnedCodec
from jscc_sim.codecs.binary import BinaryCodec
from jscc_sim.codecs.block import BCH_15_7, HAMMING_7_4, BlockCode, Repetition
from jscc_sim.codecs.commpy_code import CommPyConvolutional
from jscc_sim.codecs.convolutional import Convolutional
from jscc_sim.codecs.deepjscc import DeepJSCC
from jscc_sim.codecs.fec import LDPC, Polar, Turbo
from jscc_sim.codecs.linear import KLT, Linear
from jscc_sim.codecs.modulated import CONSTELLATIONS, Modulated
from jscc_sim.codecs.neural import ModuleCodec, NeuralCodec, PerSymbolCodec
from jscc_sim.codecs.tail_safe import Correction, TailSafeCodec

CODECS: dict[str, type[Codec]] = {
    "binary": BinaryCodec,
    "block": BlockCode,
    "commpy-convolutional": CommPyConvolutional,
    "convolutional": Convolutional,
    "deepjscc": DeepJSCC,
    "klt": KLT,
    "ldpc": LDPC,
    "linear": Linear,
    "modulated": Modulated,
    "module": ModuleCodec,
    "neural": NeuralCodec,
    "per-symbol": PerSymbolCodec,
    "polar": Polar,
    "repetition": Repetition,
    "tail-safe": TailSafeCodec,
    "turbo": Turbo,
}

__all__ = [
    "BCH_15_7",
    "CODECS",
    "CONSTELLATIONS",
    "HAMMING_7_4",
    "KLT",
    "LDPC",
    "BinaryCodec",
    "BitCodec",
    "BlockCode",
    "Codec",
    "CommPyConvolutional",
    "Convolutional",
    "Correction",
    "DeepJSCC",
    "LearnedCodec",
    "Linear",
    "Modulated",
    "ModuleCodec",
    "NeuralCodec",
    "PerSymbolCodec",
    "Polar",
    "Repetition",
    "TailSafeCodec",
    "Turbo",
]
