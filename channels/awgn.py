"""Additive white Gaussian noise."""

import math
from typing import Self

import torch
from torch import Tensor

from channels.base import MemorylessChannel, Received
from channels.power import checked_power, from_decibels


class AWGN(MemorylessChannel):
    """``y = gain · x + z``, ``z ~ N(0, noise_power)`` per real symbol.

    The gain is one unless the law of a faded word is meant: then it is a number, or one per word, ``(..., 1)``.
    """

    alphabet = output = "real"
    knob = "snr_db"

    def __init__(self, noise_power: float, gain: float | Tensor = 1.0) -> None:
        super().__init__()
        if not (isinstance(gain, Tensor) or math.isfinite(gain)):
            raise ValueError(f"gain must be finite, got {gain}")
        self.noise_power = checked_power("noise_power", noise_power)
        self.gain = gain if isinstance(gain, Tensor) else float(gain)

    def at(self, level: float) -> Self:
        """The channel at SNR ``level`` dB for signals of unit power."""
        return type(self)(from_decibels(-level), self.gain)

    def transmit(self, x: Tensor, u: Tensor | None = None) -> Received:
        """Add white noise to ``x (..., n)``."""
        unfaded = not isinstance(self.gain, Tensor) and self.gain == 1  # most are, and it saves a pass over the words
        heard = x if unfaded else self.gain * x
        return Received(torch.add(heard, torch.randn_like(x), alpha=math.sqrt(self.noise_power)), self)

    def log_prob(self, y: Tensor, x: Tensor) -> Tensor:
        """``log N(y; gain · x, noise_power)`` per symbol, in nats."""
        return -0.5 * ((y - self.gain * x).square() / self.noise_power + math.log(2 * math.pi * self.noise_power))

    def llr(self, y: Tensor) -> Tensor:
        """``2 gain y / noise_power``."""
        return (2 / self.noise_power) * self.gain * y

    def extra_repr(self) -> str:
        """Every parameter at full precision; gains of words are data, not parameters."""
        gain = "" if isinstance(self.gain, Tensor) or self.gain == 1 else f", gain={self.gain!r}"
        return f"noise_power={self.noise_power!r}{gain}"
