"""Additive white Gaussian noise."""

import math
from typing import Self

import torch
from torch import Tensor

from channels.base import MemorylessChannel, Received
from channels.power import checked_power, from_decibels


class AWGN(MemorylessChannel):
    """``y = x + z``, ``z ~ N(0, noise_power)`` per real symbol."""

    alphabet = "real"
    knob = "snr_db"

    def __init__(self, noise_power: float) -> None:
        super().__init__()
        self.noise_power = checked_power("noise_power", noise_power)

    def at(self, level: float) -> Self:
        """The channel at SNR ``level`` dB for signals of unit power."""
        return type(self)(from_decibels(-level))

    def transmit(self, x: Tensor, u: Tensor | None = None) -> Received:
        """Add white noise to ``x (..., n)``."""
        return Received(x + math.sqrt(self.noise_power) * torch.randn_like(x), self)

    def log_prob(self, y: Tensor, x: Tensor) -> Tensor:
        """``log N(y; x, noise_power)`` per symbol, in nats."""
        return -0.5 * ((y - x).square() / self.noise_power + math.log(2 * math.pi * self.noise_power))

    def llr(self, y: Tensor) -> Tensor:
        """``2y / noise_power``."""
        return 2 * y / self.noise_power

    def extra_repr(self) -> str:
        """Every parameter at full precision."""
        return f"noise_power={self.noise_power!r}"
