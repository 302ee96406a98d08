"""Priors of independent coordinates, by the probability integral transform ``z = F⁻¹(Φ(v))``."""

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri_exp
from torch import Tensor

from jscc_sim.regularisers.priors.base import Prior
from jscc_sim.regularisers.priors.tails import gaussian_quantile, line, log_density, log_tails

Array = NDArray[np.float64]
# Logarithms: of the least probability of a tail, and of the steepest slope, a number in float32 too.
LEAST, STEEPEST = -700.0, 80.0


class Marginal(Prior):
    """A law of one coordinate, by its two tails in logarithms, so that neither end loses digits."""

    def from_gaussian(self, v: Tensor) -> Tensor:
        """``F⁻¹(Φ(v))``, shape as ``v``."""
        return self.quantile(*log_tails(v))

    def to_gaussian(self, z: Tensor) -> Tensor:
        """``Φ⁻¹(F(z))``, shape as ``z``; at and beyond the ends of the law, about ``±14`` in float32."""
        least = math.log(torch.finfo(z.dtype).tiny)
        log_lower, log_upper = self.tails(z)
        return gaussian_quantile(log_lower.clamp_min(least), log_upper.clamp_min(least))

    @abstractmethod
    def quantile(self, log_lower: Tensor, log_upper: Tensor) -> Tensor:
        """``F⁻¹(p)`` from ``log p`` and ``log(1 − p)``."""

    @abstractmethod
    def tails(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """``log F(z)`` and ``log(1 − F(z))``."""


@dataclass(frozen=True)
class StandardNormal(Prior):
    """N(0, I): nothing to map."""

    def from_gaussian(self, v: Tensor) -> Tensor:
        """``v`` itself."""
        return v

    def to_gaussian(self, z: Tensor) -> Tensor:
        """``z`` itself."""
        return z


@dataclass(frozen=True)
class Uniform(Marginal):
    """Uniform on ``[low, high]``, ``[0, 1]`` by default."""

    low: float = 0.0
    high: float = 1.0

    @classmethod
    def symmetric(cls) -> Self:
        """Uniform on [−1, 1]."""
        return cls(-1.0, 1.0)

    def __post_init__(self) -> None:
        if not self.low < self.high < math.inf:
            raise ValueError(f"a uniform law needs low < high, both finite, got {self.low} and {self.high}")

    def quantile(self, log_lower: Tensor, log_upper: Tensor) -> Tensor:
        """From the nearer end."""
        size = self.high - self.low
        below, above = self.low + size * log_lower.exp(), self.high - size * log_upper.exp()
        return torch.where(log_lower < log_upper, below, above)

    def tails(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Logarithms of the distances from both ends."""
        size = self.high - self.low
        return _log_positive((z - self.low) / size), _log_positive((self.high - z) / size)


@dataclass(frozen=True)
class Laplace(Marginal):
    """Density ``exp(−|z|/scale)/(2 scale)``: mean zero, variance ``2 scale²``, one by default."""

    scale: float = math.sqrt(0.5)

    def __post_init__(self) -> None:
        _check_scale(self.scale)

    def quantile(self, log_lower: Tensor, log_upper: Tensor) -> Tensor:
        """The logarithm of the smaller tail."""
        below, above = log_lower + math.log(2), -log_upper - math.log(2)
        return self.scale * torch.where(log_lower < log_upper, below, above)

    def tails(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """The smaller is ``−|z|/scale − log 2``."""
        smaller = torch.where(z < 0, z, -z) / self.scale - math.log(2)
        larger = torch.log1p(-smaller.exp())
        return torch.where(z < 0, smaller, larger), torch.where(z < 0, larger, smaller)


@dataclass(frozen=True)
class Exponential(Marginal):
    """Density ``exp(−z/scale)/scale`` of ``z ≥ 0``: mean ``scale``, one by default."""

    scale: float = 1.0

    def __post_init__(self) -> None:
        _check_scale(self.scale)

    def quantile(self, log_lower: Tensor, log_upper: Tensor) -> Tensor:
        """``−scale log(1 − p)``."""
        near_zero = -torch.log1p(-log_lower.clamp_max(-math.log(2)).exp())
        return self.scale * torch.where(log_lower < log_upper, near_zero, -log_upper)

    def tails(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """The upper is ``−z/scale``."""
        return _log_positive(-torch.expm1(-z / self.scale)), -z.clamp_min(0) / self.scale


class Continuous(Protocol):
    """What is used of a frozen continuous distribution of scipy."""

    def ppf(self, q: Array) -> Array:
        """The quantile."""

    def isf(self, q: Array) -> Array:
        """The quantile of the upper tail."""

    def logpdf(self, x: Array) -> Array:
        """The logarithm of the density."""

    def logcdf(self, x: Array) -> Array:
        """The logarithm of the lower tail."""

    def logsf(self, x: Array) -> Array:
        """The logarithm of the upper tail."""


class Scipy(Prior):
    """Any continuous law of scipy, ``Scipy(scipy.stats.t(4))``; computed by scipy, on the CPU, in float64.

    Gradients are ``φ(v)/f(z)`` and its inverse, up to ``exp(±80)``. Beyond ``|v| = 37`` the law ends, as Φ underflows.
    """

    def __init__(self, law: Continuous) -> None:
        if not hasattr(law, "logpdf"):
            raise ValueError(f"a continuous law of scipy.stats is needed, frozen with its parameters, got {law!r}")
        self.law = law

    def from_gaussian(self, v: Tensor) -> Tensor:
        """``F⁻¹(Φ(v))`` from the smaller tail, shape as ``v``."""
        at = v.detach().double().cpu().numpy()
        z = np.where(at < 0, self.law.ppf(ndtr(np.minimum(at, 0))), self.law.isf(ndtr(-np.maximum(at, 0))))
        return line(torch.as_tensor(z).to(v), torch.as_tensor(self._log_slope(at, z)).exp().to(v), v)

    def to_gaussian(self, z: Tensor) -> Tensor:
        """``Φ⁻¹(F(z))`` from the smaller tail, shape as ``z``."""
        at = z.detach().double().cpu().numpy()
        lower, upper = self.law.logcdf(at), self.law.logsf(at)
        v = np.where(lower < upper, 1, -1) * ndtri_exp(np.minimum(lower, upper).clip(LEAST))
        return line(torch.as_tensor(v).to(z), torch.as_tensor(-self._log_slope(v, at)).exp().to(z), z)

    def _log_slope(self, v: Array, z: Array) -> Array:
        """``log dz/dv``."""
        slope = log_density(torch.as_tensor(v)).numpy() - self.law.logpdf(z)
        return np.nan_to_num(slope).clip(-STEEPEST, STEEPEST)

    def __repr__(self) -> str:
        name, args, given = (getattr(self.law, part, "") for part in ("dist", "args", "kwds"))
        return f"Scipy({getattr(name, 'name', name)!r}, {args}, {given})"


def _log_positive(values: Tensor) -> Tensor:
    """The logarithm, of the least positive number where ``values`` are none, so that no gradient is NaN."""
    return values.clamp_min(torch.finfo(values.dtype).tiny).log()


def _check_scale(scale: float) -> None:
    if not 0 < scale < math.inf:
        raise ValueError(f"scale must be positive and finite, got {scale}")
