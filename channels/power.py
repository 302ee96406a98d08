"""The one definition of SNR, decibels, and holding a signal to its power.

Signals are real and powers are per symbol: ``SNR = P/N`` per real use, ``N0 = 2N``, ``Eb/N0 = SNR/(2R)``.
Codecs send ``P = 1``, so that a channel at ``snr_db`` has noise power ``N = 10^(−snr_db/10)``.
"""

import math

import torch
from torch import Tensor, nn

# Beyond this, float32 sums of signal and noise lose the smaller one, and an error of 1e-12 drowns in rounding.
MOST_DECIBELS = 100


def decibels(ratio: float) -> float:
    """``10 log10(ratio)`` of a positive power ratio.

    >>> decibels(100.0)
    20.0
    """
    if not ratio > 0:
        raise ValueError(f"a power ratio in decibels must be positive, got {ratio}")
    return 10 * math.log10(ratio)


def from_decibels(level: float) -> float:
    """``10^(level/10)``, the power ratio of a level in dB.

    >>> from_decibels(-10)
    0.1
    """
    if not abs(level) <= MOST_DECIBELS:
        raise ValueError(f"a level in dB must lie within ±{MOST_DECIBELS}, got one of {abs(level):g}")
    return float(10 ** (level / 10))


def checked_power(name: str, power: float) -> float:
    """``power`` itself, or a ValueError that names it unless it is finite and positive."""
    if not (power > 0 and math.isfinite(power)):
        raise ValueError(f"{name} must be positive and finite, got {power}")
    return float(power)


def normal_points(count: int, dimensions: int) -> Tensor:
    """``(count, dimensions)`` scrambled Sobol points of N(0, I), which integrate smooth functions precisely."""
    with torch.device("cpu"):  # the generator of Sobol points lives there
        points = torch.quasirandom.SobolEngine(dimensions, scramble=True, seed=0).draw(count, dtype=torch.float64)
    margin = 0.5 / count  # the points lie on a grid that contains 0, where the normal quantile is infinite
    return torch.special.ndtri(points.clamp(margin, 1 - margin)).float()


def scrambled_normal_points(count: int, dimensions: int) -> Tensor:
    """``(count, dimensions)`` Sobol points of N(0, I) in a fresh scrambling, float64, each of that law exactly.

    A random shift within the grid's cell fills the gaps between what torch's points can be.
    """
    seed, step = int(torch.randint(2**31, ())), 2.0**-torch.quasirandom.SobolEngine.MAXBIT
    points = torch.quasirandom.SobolEngine(dimensions, scramble=True, seed=seed).draw(count, dtype=torch.float64)
    points += step * torch.rand_like(points)
    return torch.special.ndtri(points.clamp_(step**2, 1 - 2.0**-53))


class UnitPower(nn.Module):
    """``a / √E[a²]``, the power taken over the batch in training and frozen in evaluation.

    A power taken from the batch in evaluation would move the target that is being measured: the relative bias of the
    mean-square error is about ``P/(2BW)`` for batches of ``B``. Training keeps a running average of the power of
    batches that have gradients, which `freeze` replaces by a precisely measured one.
    """

    power: Tensor

    def __init__(self, momentum: float = 0.01) -> None:
        super().__init__()
        self.momentum = momentum
        self.register_buffer("power", torch.tensor(math.nan))

    def forward(self, a: Tensor) -> Tensor:
        """``a (..., n)`` at unit power per symbol."""
        if not self.training:
            if self.power.isnan():
                raise RuntimeError("the power of this signal was never measured: train first, or freeze its power")
            return a * self.power.rsqrt()
        wide = a.to(torch.promote_types(a.dtype, torch.float32))  # squares of halves overflow
        power = wide.square().mean().clamp_min(1e-12)  # a silent signal stays silent instead of turning into NaN
        momentum = self.momentum if torch.is_grad_enabled() else 0.0
        with torch.no_grad():
            seen = power.to(self.power)
            moved = torch.where(self.power.isnan(), seen, self.power.lerp(seen, momentum))
            self.power.copy_(torch.where(seen.isfinite(), moved, self.power))  # nothing is learned from an overflow
        return a * power.rsqrt()

    @torch.no_grad()
    def freeze(self, power: Tensor | float) -> None:
        """Take ``power`` as the true ``E[a²]`` from now on."""
        self.power.fill_(checked_power("the power of a signal", float(power)))
