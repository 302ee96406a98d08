"""The Gaussian quantile of a probability that is given by its logarithm, exact far into the tails."""

import math

import torch
from torch import Tensor

# From the bound below the root, so many Newton steps reach it in float64.
NEWTON = 8


def log_tails(v: Tensor) -> tuple[Tensor, Tensor]:
    """``log Φ(v)`` and ``log(1 − Φ(v))``."""
    return torch.special.log_ndtr(v), torch.special.log_ndtr(-v)


def gaussian_quantile(log_lower: Tensor, log_upper: Tensor) -> Tensor:
    """``Φ⁻¹(p)`` from ``log p`` and ``log(1 − p)``: the smaller of the two is used, so no digits are lost in a tail."""
    lower = log_lower < log_upper
    quantile = _lower_quantile(torch.where(lower, log_lower, log_upper))
    return torch.where(lower, quantile, -quantile)


def _lower_quantile(log_p: Tensor) -> Tensor:
    """``Φ⁻¹(exp(log_p))`` for ``log_p ≤ log ½``, its gradient that of the implicit function."""
    with torch.no_grad():
        # Φ(−x) ≤ ½ exp(−x²/2), so this is below the root, from where Newton's steps on the concave log Φ only rise.
        at = -(-2 * (log_p + math.log(2))).clamp_min(0).sqrt()
        for _ in range(NEWTON):
            at = at + (log_p - torch.special.log_ndtr(at)) / log_slope(at)
        slope = log_slope(at)
    return line(at, 1 / slope, log_p)


def log_slope(v: Tensor) -> Tensor:
    """``d log Φ(v)/dv = φ(v)/Φ(v)``."""
    return torch.exp(log_density(v) - torch.special.log_ndtr(v))


def log_density(v: Tensor) -> Tensor:
    """``log φ(v)``."""
    return -v.square() / 2 - math.log(2 * math.pi) / 2


def line(value: Tensor, slope: Tensor, argument: Tensor) -> Tensor:
    """``value``, with the gradient ``slope`` in ``argument``."""
    return value.detach() + slope.detach() * (argument - argument.detach())
