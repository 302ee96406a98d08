"""Fading; in blocks: every word has a gain of its own, which the receiver knows or does not."""

import copy
import math
from abc import abstractmethod
from typing import Self

import torch
from torch import Tensor

from channels.awgn import AWGN
from channels.base import Channel, Received
from channels.power import checked_power, from_decibels


class Fading(Channel):
    """Gains that come and go, ``E|h|² = 1``, and noise as in AWGN."""

    alphabet = output = "real"
    knob = "snr_db"
    noise_power: float

    def at(self, level: float) -> Self:
        """The same fading at a mean SNR of ``level`` dB for signals of unit power."""
        other = copy.copy(self)
        other.noise_power = from_decibels(-level)
        return other


class BlockFading(Fading):
    """``y = h x + z``: one real gain ``h ≥ 0`` per word (the phase is tracked), ``E[h²] = 1``, noise as in AWGN."""

    csi: bool

    @abstractmethod
    def gains(self, x: Tensor) -> Tensor:
        """Fresh gains ``(..., 1)`` for the words ``x (..., n)``."""

    @property
    @abstractmethod
    def mean_gain(self) -> float:
        """``E[h]``."""

    @property
    def nominal(self) -> AWGN:
        """The Gaussian law of the same moments, for a receiver that does not know the gain."""
        return AWGN(self.noise_power + max(0.0, 1 - self.mean_gain**2), self.mean_gain)

    def transmit(self, x: Tensor, u: Tensor | None = None) -> Received:
        """Fade and add noise; with ``csi`` the receiver's law has the gain of each word."""
        gains = self.gains(x)
        y = torch.add(gains * x, torch.randn_like(x), alpha=math.sqrt(self.noise_power))
        return Received(y, AWGN(self.noise_power, gains) if self.csi else self.nominal)


class Rayleigh(BlockFading):
    """Block fading without a line of sight: ``h²`` is exponential, of mean one."""

    def __init__(self, noise_power: float, csi: bool = True) -> None:
        super().__init__()
        self.noise_power, self.csi = checked_power("noise_power", noise_power), bool(csi)

    def gains(self, x: Tensor) -> Tensor:
        """``√(−log v)``, ``v`` uniform; in float64, so that the tail is not cut."""
        uniform = torch.rand(*x.shape[:-1], 1, dtype=torch.float64, device=x.device)
        return torch.log1p(-uniform).neg().sqrt().to(x.dtype)

    @property
    def mean_gain(self) -> float:
        """``√π/2``."""
        return math.sqrt(math.pi) / 2

    def extra_repr(self) -> str:
        """Every parameter at full precision."""
        return f"noise_power={self.noise_power!r}, csi={self.csi}"


class Rician(BlockFading):
    """Block fading with a line of sight ``k_factor`` times as strong as the scattered rest: at 0 it is Rayleigh."""

    def __init__(self, noise_power: float, k_factor: float = 1.0, csi: bool = True) -> None:
        super().__init__()
        if not 0 <= k_factor < math.inf:
            raise ValueError(f"k_factor must be 0 or more and finite, got {k_factor}")
        self.noise_power, self.csi = checked_power("noise_power", noise_power), bool(csi)
        self.k_factor = float(k_factor)

    def gains(self, x: Tensor) -> Tensor:
        """``|√(K/(K+1)) + c|`` with ``c`` circular complex Gaussian of power ``1/(K+1)``."""
        scatter = torch.randn(*x.shape[:-1], 2, dtype=torch.float64, device=x.device)
        scatter = scatter / math.sqrt(2 * (self.k_factor + 1))
        scatter[..., 0] += math.sqrt(self.k_factor / (self.k_factor + 1))
        return scatter.norm(dim=-1, keepdim=True).to(x.dtype)

    @property
    def mean_gain(self) -> float:
        """``√(π/(4(K+1))) · ((1+K) I₀(K/2) + K I₁(K/2)) e^{−K/2}``, the mean of a Rician variable (Rice 1945)."""
        k = torch.tensor(self.k_factor, dtype=torch.float64)
        laguerre = (1 + k) * torch.special.i0e(k / 2) + k * torch.special.i1e(k / 2)
        return float(laguerre) * math.sqrt(math.pi / (4 * (self.k_factor + 1)))

    def extra_repr(self) -> str:
        """Every parameter at full precision."""
        return f"noise_power={self.noise_power!r}, k_factor={self.k_factor!r}, csi={self.csi}"
