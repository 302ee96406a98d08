"""Linear codecs: the optimal gains for a white Gaussian source, and the KLT codec of real images."""

import torch
from torch import Tensor

from channels import AWGN, MemorylessChannel
from jscc_sim.codecs.base import Codec
from jscc_sim.sources import Images, checked_count
from jscc_sim.theory.saddle import transmit_powers


def noise_power_of(law: MemorylessChannel) -> float:
    """The noise power that a linear receiver needs to know; ValueError unless the law is Gaussian noise."""
    if not isinstance(law, AWGN):
        raise ValueError(f"a linear receiver knows Gaussian noise only, not {law}")
    return law.noise_power


class Linear(Codec):
    """``x = u``, ``û = y/(1 + W)``: the saddle codec of a white Gaussian source, for a law of noise power ``W``."""

    def __init__(self, k: int = 1) -> None:
        super().__init__()
        self.k = self.n = checked_count("k", k)

    def encode(self, u: Tensor) -> Tensor:
        """The source word itself, whose power is one."""
        return u

    def decode(self, y: Tensor, law: MemorylessChannel) -> Tensor:
        """The linear minimum mean-square error estimate."""
        return y / (1 + noise_power_of(law))

    def extra_repr(self) -> str:
        """Every parameter."""
        return f"k={self.k}"


class KLT(Codec):
    """The best linear codec of an image set over ``n`` uses of noise power ``W`` each.

    Sends the ``n`` strongest Karhunen-Loève components, of variances ``λ_i``, with the powers of
    `theory.saddle.transmit_powers`; the receiver is the linear MMSE estimator for the law it believes in.
    """

    analysis: Tensor
    synthesis: Tensor
    mean: Tensor
    variances: Tensor
    powers: Tensor

    def __init__(self, source: Images, noise_power: float, n: int | None = None) -> None:
        super().__init__()
        self.k, self.n = source.k, checked_count("n", source.k if n is None else n)
        if self.n > self.k:
            raise ValueError(f"the KLT codec sends at most one component per pixel: n <= {self.k}, got {self.n}")
        self.noise_power = noise_power
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
        """``mean + Σ v_i √(p_i λ_i)/(p_i + W) y_i``."""
        gains = (self.powers * self.variances).sqrt() / (self.powers + noise_power_of(law))
        return self.mean + (gains * y) @ self.synthesis.T

    def extra_repr(self) -> str:
        """Every parameter; the basis enters by digest."""
        return f"k={self.k}, n={self.n}, noise_power={self.noise_power!r}"
