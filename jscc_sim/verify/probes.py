"""What the plan measures beside the usual metrics, and a codec that would show a normalisation left on."""

import torch
from torch import Tensor

from channels import MemorylessChannel, UnitPower
from jscc_sim.codecs import Codec
from jscc_sim.codecs.linear import gaussian_law
from jscc_sim.link import Transmission
from jscc_sim.metrics import Metric


class Offset:
    """``(y − x)_i``: its mean is the offset that a channel adds at use i."""

    def __init__(self, use: int) -> None:
        self.use = use

    def __call__(self, sent: Transmission) -> Tensor:
        """``(words,)``."""
        return (sent.y - sent.x)[:, self.use]


class Power:
    """``(y − x)_i²``: its mean is the power that a channel adds at use i."""

    def __init__(self, use: int) -> None:
        self.use = use

    def __call__(self, sent: Transmission) -> Tensor:
        """``(words,)``."""
        return (sent.y - sent.x)[:, self.use].square()


class Together:
    """``(y − x)_0 · x_0`` or ``(y − x)_0 · (y − x)_1``: what a channel adds, against the signal or the next use."""

    def __init__(self, signal: bool) -> None:
        self.signal = signal

    def __call__(self, sent: Transmission) -> Tensor:
        """``(words,)``."""
        added = sent.y - sent.x
        return added[:, 0] * (sent.x[:, 0] if self.signal else added[:, 1])


def with_signal() -> Metric:
    """The correlation of what the channel adds with the signal."""
    return Metric("with signal", Together(True))


def with_next() -> Metric:
    """The correlation of what the channel adds at one use and at the next."""
    return Metric("with next", Together(False))


def offset(use: int) -> Metric:
    """The mean of what the channel adds at one use."""
    return Metric(f"offset[{use}]", Offset(use))


def power(use: int) -> Metric:
    """The power of what the channel adds at one use."""
    return Metric(f"power[{use}]", Power(use))


class Loud(Codec):
    """Encodes ``3u`` and relies on `UnitPower` to bring it to power one; its blocks have 64 words.

    The power is frozen at its true value 9. If the normalisation went on in evaluation, each block of B words would be
    sent at exactly its power, and the error be larger by about ``P/(2BW)``.
    """

    cost = 2048

    def __init__(self) -> None:
        super().__init__()
        self.k = self.n = 1
        self.unit = UnitPower()
        self.unit.freeze(torch.tensor(9.0))

    def encode(self, u: Tensor) -> Tensor:
        """``3u`` at unit power."""
        return self.unit(3 * u)

    def decode(self, y: Tensor, law: MemorylessChannel) -> Tensor:
        """The linear estimate for a signal of power one."""
        return y / (1 + gaussian_law(law).noise_power)
