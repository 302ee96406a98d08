"""Channels, benign and adversarial: plain torch modules with physical parameters."""

from channels.awgn import AWGN
from channels.base import Channel, MemorylessChannel, Received
from channels.binary import BEC, BSC
from channels.bitflip import (
    ATTACKS,
    BitFlip,
    exhaustive_attack,
    greedy_attack,
    random_attack,
    steepest_attack,
    tried_attack,
)
from channels.cascade import Cascade, ErrorsAndErasures, NoisyFlips, jammer_in, stages
from channels.fading import BlockFading, Rayleigh, Rician
from channels.jammer import Jammer
from channels.learned import NeuralPolicy, NeuralSourcePolicy, NeuralTapPolicy, PerSymbolPolicy
from channels.policies import (
    GaussianPolicy,
    LaplacePolicy,
    Policy,
    PulsedPolicy,
    ReactivePolicy,
    SourceAwarePolicy,
    TapPolicy,
    TonePolicy,
    TwoPointPolicy,
    UniformPolicy,
)
from channels.power import UnitPower, decibels, from_decibels
from channels.shared import SECRETS, SharedRandomness, SharedRotation, SharedSign, innermost, share
from channels.wireless import OFDM, TDL

CHANNELS: dict[str, type[Channel]] = {
    "awgn": AWGN,
    "bec": BEC,
    "bit-flip": BitFlip,
    "bsc": BSC,
    "cascade": Cascade,
    "errors-and-erasures": ErrorsAndErasures,
    "jammer": Jammer,
    "noisy-flips": NoisyFlips,
    "ofdm": OFDM,
    "rayleigh": Rayleigh,
    "rician": Rician,
    "shared-rotation": SharedRotation,
    "shared-sign": SharedSign,
    "tdl": TDL,
}
POLICIES: dict[str, type[Policy]] = {
    "gaussian": GaussianPolicy,
    "laplace": LaplacePolicy,
    "neural": NeuralPolicy,
    "neural-source": NeuralSourcePolicy,
    "neural-tap": NeuralTapPolicy,
    "per-symbol": PerSymbolPolicy,
    "pulsed": PulsedPolicy,
    "reactive": ReactivePolicy,
    "source-aware": SourceAwarePolicy,
    "tap": TapPolicy,
    "tone": TonePolicy,
    "two-point": TwoPointPolicy,
    "uniform": UniformPolicy,
}

__all__ = [
    "ATTACKS",
    "AWGN",
    "BEC",
    "BSC",
    "CHANNELS",
    "OFDM",
    "POLICIES",
    "SECRETS",
    "TDL",
    "BitFlip",
    "BlockFading",
    "Cascade",
    "Channel",
    "ErrorsAndErasures",
    "GaussianPolicy",
    "Jammer",
    "LaplacePolicy",
    "MemorylessChannel",
    "NeuralPolicy",
    "NeuralSourcePolicy",
    "NeuralTapPolicy",
    "NoisyFlips",
    "PerSymbolPolicy",
    "Policy",
    "PulsedPolicy",
    "Rayleigh",
    "ReactivePolicy",
    "Received",
    "Rician",
    "SharedRandomness",
    "SharedRotation",
    "SharedSign",
    "SourceAwarePolicy",
    "TapPolicy",
    "TonePolicy",
    "TwoPointPolicy",
    "UniformPolicy",
    "UnitPower",
    "decibels",
    "exhaustive_attack",
    "from_decibels",
    "greedy_attack",
    "innermost",
    "jammer_in",
    "random_attack",
    "share",
    "stages",
    "steepest_attack",
    "tried_attack",
]
