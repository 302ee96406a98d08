"""Channels, benign and adversarial: plain torch modules with physical parameters."""

from channels.awgn import AWGN
from channels.base import Channel, MemorylessChannel, Received
from channels.binary import BEC, BSC
from channels.bitflip import BitFlip, steepest_flips
from channels.jammer import GaussianPolicy, Jammer, NeuralPolicy, Policy, TwoPointPolicy
from channels.power import UnitPower, decibels, from_decibels

CHANNELS: dict[str, type[Channel]] = {
    "awgn": AWGN,
    "bec": BEC,
    "bit-flip": BitFlip,
    "bsc": BSC,
    "jammer": Jammer,
}

__all__ = [
    "AWGN",
    "BEC",
    "BSC",
    "CHANNELS",
    "BitFlip",
    "Channel",
    "GaussianPolicy",
    "Jammer",
    "MemorylessChannel",
    "NeuralPolicy",
    "Policy",
    "Received",
    "TwoPointPolicy",
    "UnitPower",
    "decibels",
    "from_decibels",
    "steepest_flips",
]
