"""The jammer: an adversary that adds a signal of limited power, and the policies that shape this signal."""

import copy
import math
from abc import ABC, abstractmethod
from typing import Self

import torch
from torch import Tensor, nn

from channels.awgn import AWGN
from channels.base import Channel, Received
from channels.power import UnitPower, checked_power, from_decibels, normal_points


class Policy(nn.Module, ABC):
    """A random signal ``a (..., n)`` for each word sent; its power is the Jammer's business."""

    @abstractmethod
    def forward(self, x: Tensor, u: Tensor | None = None) -> Tensor:
        """One signal for each word ``x (..., n)``; an oblivious policy looks at nothing but the shape."""

    @abstractmethod
    def power(self) -> Tensor | float:
        """``E[a²]`` per symbol, exact or by quadrature."""


class GaussianPolicy(Policy):
    """``a ~ N(0, I)``: the saddle-point jammer (Başar 1983)."""

    def forward(self, x: Tensor, u: Tensor | None = None) -> Tensor:
        """White Gaussian noise."""
        return torch.randn_like(x)

    def power(self) -> float:
        """One, exactly."""
        return 1.0


class TwoPointPolicy(Policy):
    """``a = ±1``, fair and independent for each symbol."""

    def forward(self, x: Tensor, u: Tensor | None = None) -> Tensor:
        """Fair signs."""
        return torch.randint_like(x, 2) * 2 - 1

    def power(self) -> float:
        """One, exactly."""
        return 1.0


class NeuralPolicy(Policy):
    """``a = ±net(ξ)``: noise shaped by a net, for words of ``n`` symbols.

    Half of the noise is Gaussian and half heavy-tailed, ``sinh(1.5 ξ)``: bounded nets need the latter to reach far out.
    The fair sign of each word makes the law symmetric, because an offset would only waste power.
    """

    def __init__(self, n: int = 1, hidden: int = 64) -> None:
        super().__init__()
        if not (n >= 1 and hidden >= 1):
            raise ValueError(f"n and hidden must be at least 1, got n={n}, hidden={hidden}")
        self.n, self.hidden = n, hidden
        self.net = nn.Sequential(
            nn.Linear(4 * n, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, n)
        )

    def shape(self, noise: Tensor) -> Tensor:
        """The signal ``(..., n)`` made of standard normal ``noise (..., 4n)``."""
        gaussian, heavy = noise.chunk(2, dim=-1)
        return self.net(torch.cat((gaussian, torch.sinh(1.5 * heavy)), dim=-1))

    def forward(self, x: Tensor, u: Tensor | None = None) -> Tensor:
        """Fresh noise, shaped."""
        if x.shape[-1] != self.n:
            raise ValueError(f"this jammer was made for words of {self.n} symbols, got words of {x.shape[-1]}")
        sign = torch.randint(2, (*x.shape[:-1], 1), dtype=x.dtype, device=x.device) * 2 - 1
        return sign * self.shape(torch.randn(*x.shape[:-1], 4 * self.n, dtype=x.dtype, device=x.device))

    @torch.no_grad()
    def power(self) -> Tensor:
        """By 2^18/n scrambled Sobol points."""
        signals = self.shape(normal_points(2**18 // self.n, 4 * self.n).to(next(self.parameters())))
        return signals.double().square().mean()  # in float64, so that the last bit does not depend on the threads

    def extra_repr(self) -> str:
        """The sizes; the weights enter by digest."""
        return f"n={self.n}, hidden={self.hidden}"


class Jammer(Channel):
    """``y = x + √jam_power · a + z``, with ``E[a²] = 1`` and ``z ~ N(0, noise_power)``, all powers per real symbol.

    The channel holds the signal to its budget: over the batch in training, in evaluation by the frozen power that the
    policy computes of itself. After training a policy, `calibrate` asks for it anew.
    """

    alphabet = "real"
    knob = "snr_db"

    def __init__(self, policy: Policy, noise_power: float, jam_power: float = 1.0) -> None:
        super().__init__()
        self.policy = policy
        self.noise_power = checked_power("noise_power", noise_power)
        self.jam_power = checked_power("jam_power", jam_power)
        self.unit = UnitPower()
        self.calibrate()

    def calibrate(self) -> None:
        """Freeze the power of the policy as it is now."""
        self.unit.freeze(self.policy.power())

    def at(self, level: float) -> Self:
        """The same jammer at SNR ``level`` dB for signals of unit power."""
        other = copy.copy(self)  # shares the policy and its frozen power
        other.noise_power = from_decibels(-level)
        return other

    @property
    def nominal(self) -> AWGN:
        """Gaussian noise of the total power, against which the linear receiver is optimal."""
        return AWGN(self.noise_power + self.jam_power)

    def limit(self, a: Tensor) -> Tensor:
        """The signal ``a (..., n)`` held to unit power."""
        return self.unit(a)

    def add(self, x: Tensor, a: Tensor) -> Tensor:
        """Jam ``x (..., n)`` with a signal ``a`` of unit power, and add nature's noise."""
        return x + math.sqrt(self.jam_power) * a + math.sqrt(self.noise_power) * torch.randn_like(x)

    def transmit(self, x: Tensor, u: Tensor | None = None) -> Received:
        """Jam ``x (..., n)`` with the policy's signal."""
        return Received(self.add(x, self.limit(self.policy(x, u))), self.nominal)

    def extra_repr(self) -> str:
        """Every parameter at full precision; the policy shows itself."""
        return f"noise_power={self.noise_power!r}, jam_power={self.jam_power!r}"
