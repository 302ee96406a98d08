"""Linear codecs: the optimal gains for a white source, and the KLT codec of a coloured source or an image set."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from channels import AWGN, MemorylessChannel
from jscc_sim.codecs.base import Codec
from jscc_sim.sources import Spectral, checked_count
from jscc_sim.theory.saddle import transmit_powers


def gaussian_law(law: MemorylessChannel) -> AWGN:
    """The gain and the noise power that a linear receiver needs to know; ValueError unless the law has them."""
    if not isinstance(law, AWGN):
        raise ValueError(f"a linear receiver knows Gaussian noise only, not {law}")
    return law


def frame(k: int, n: int) -> NDArray[np.float64]:
    """``(n, k)``, columns orthonormal: the first ``k`` cosines of the DCT-II, each spread over all uses."""
    rows, columns = np.arange(n)[:, None] + 0.5, np.arange(k)
    scale = np.where(columns == 0, math.sqrt(1 / n), math.sqrt(2 / n))
    return np.asarray(scale * np.cos(math.pi * rows * columns / n))


class Linear(Codec):
    """``x = √(n/k) F u``, ``F`` orthonormal: the best linear codec of a white source of variance one.

    For k = n this is ``x = u``, for k > n the first n symbols are sent and the others estimated by their mean. The
    receiver is the linear MMSE estimator for the law that it believes in.
    """

    frame: Tensor

    def __init__(self, k: int = 1, n: int | None = None) -> None:
        super().__init__()
        self.k, self.n = checked_count("k", k), checked_count("n", k if n is None else n)
        self.boost = math.sqrt(max(1.0, self.n / self.k))
        if self.n > self.k:
            self.register_buffer("frame", torch.from_numpy(frame(self.k, self.n)).float(), persistent=False)

    def encode(self, u: Tensor) -> Tensor:
        """Linear in the source word, of power one per symbol."""
        if self.n == self.k:
            return u
        return u[..., : self.n] if self.n < self.k else self.boost * u @ self.frame.T.to(u.dtype)

    def decode(self, y: Tensor, law: MemorylessChannel) -> Tensor:
        """``c/(c² + W)`` times what the frame finds, ``c`` the gain that a symbol arrives with and ``W`` the noise."""
        law = gaussian_law(law)
        gain = self.boost * law.gain
        found = y @ self.frame.to(y.dtype) if self.n > self.k else y
        heard = (gain / (gain * gain + law.noise_power)) * found
        return heard if self.n >= self.k else torch.nn.functional.pad(heard, (0, self.k - self.n))

    def extra_repr(self) -> str:
        """Every parameter."""
        return f"k={self.k}, n={self.n}"


class KLT(Codec):
    """The best linear codec of a coloured source over ``n`` uses of noise power ``W`` each.

    Sends the ``n`` strongest Karhunen-Loève components, of variances ``λ_i``, with the powers of
    `theory.saddle.transmit_powers`; the receiver is the linear MMSE estimator for the law it believes in.
    """

    derived = ("analysis", "mean", "powers", "synthesis", "variances")
    analysis: Tensor
    synthesis: Tensor
    mean: Tensor
    variances: Tensor
    powers: Tensor

    def __init__(self, source: Spectral, noise_power: float, n: int | None = None) -> None:
        super().__init__()
        self.k, self.n = source.k, checked_count("n", source.k if n is None else n)
        if self.n > self.k:
            raise ValueError(f"the KLT codec sends at most one component per symbol: n <= {self.k}, got {self.n}")
        self.noise_power, self.made_for = noise_power, repr(source)
        values, vectors = source.karhunen_loeve
        values, vectors = values[: self.n], vectors[:, : self.n]
        # Not persistent: all follow from the source and the noise, and their last bits from the number of BLAS threads.
        powers = transmit_powers(values, noise_power, float(self.n))
        self.register_buffer("variances", torch.from_numpy(values.copy()).float(), persistent=False)
        self.register_buffer("powers", torch.from_numpy(powers).float(), persistent=False)
        self.register_buffer("mean", torch.from_numpy(source.mean).float(), persistent=False)
        self.register_buffer("synthesis", torch.from_numpy(vectors.copy()).float(), persistent=False)
        gains = torch.where(self.powers > 0, (self.powers / self.variances).sqrt(), 0.0)
        self.register_buffer("analysis", self.synthesis * gains, persistent=False)

    def encode(self, u: Tensor) -> Tensor:
        """Centred, rotated and scaled: ``x_i = √(p_i/λ_i) v_iᵀ(u − mean)``."""
        return (u - self.mean) @ self.analysis

    def decode(self, y: Tensor, law: MemorylessChannel) -> Tensor:
        """``mean + Σ v_i h √(p_i λ_i)/(h² p_i + W) y_i``, ``h`` the channel's gain."""
        law = gaussian_law(law)
        gains = law.gain * (self.powers * self.variances).sqrt() / (law.gain**2 * self.powers + law.noise_power)
        return self.mean + (gains * y) @ self.synthesis.T

    def extra_repr(self) -> str:
        """Every parameter; the source enters by its own repr, which has a digest."""
        return f"k={self.k}, n={self.n}, noise_power={self.noise_power!r}, made_for={self.made_for}"
