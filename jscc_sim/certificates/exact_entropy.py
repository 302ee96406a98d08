"""The entropy of a jammer's signal in noise where its law is known in closed form: by quadrature, without samples."""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.special import log_ndtr, ndtr
from torch import nn

from channels import GaussianPolicy, LaplacePolicy, PulsedPolicy, TwoPointPolicy, UniformPolicy

Array = NDArray[np.float64]
# Where the integral is split, in units of each component's scale about its centre; the rest is less than 1e-25.
SPLITS = np.array([0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 40.0, 80.0])
# The nats taken off for rounding, beside what the quadrature says of its own error.
ROUNDING = 1e-9
LogDensity = Callable[[float], float]
# A symmetric law's logarithmic density on the right of 0, and the (centre, scale) of its features.
Law = tuple[LogDensity, list[tuple[float, float]]]


def exact_bound(policy: nn.Module, jam_power: float, noise_power: float) -> float:
    """``log(e^{2h(W)}/(1 + PA + N))`` of a policy of `LAWS`, from below.

    >>> from channels import GaussianPolicy
    >>> round(math.exp(exact_bound(GaussianPolicy(), 1.0, 0.1)) / (2 * math.pi * math.e), 6)
    0.52381
    """
    log_density, features = LAWS[type(policy)](policy, jam_power, noise_power)
    splits = np.abs([centre + sign * scale * SPLITS for centre, scale in features for sign in (-1, 1)])
    splits = np.unique(np.append(splits, 0.0))

    def surprise(w: float) -> float:
        known = log_density(w)
        return -known * math.exp(known) if known > -700 else 0.0

    parts = [quad(surprise, *ends, epsabs=1e-13, limit=200) for ends in pairwise(splits)]
    entropy = 2 * sum(value - error for value, error, *_ in parts) - ROUNDING
    return float(2 * entropy - math.log(1 + jam_power + noise_power))


def _log_normal(w: float, variance: float) -> float:
    return -w * w / (2 * variance) - 0.5 * math.log(2 * math.pi * variance)


def _gaussian(policy: nn.Module, jam_power: float, noise_power: float) -> Law:
    total = jam_power + noise_power
    return lambda w: _log_normal(w, total), [(0.0, math.sqrt(total))]


def _two_points(policy: nn.Module, jam_power: float, noise_power: float) -> Law:
    far = math.sqrt(jam_power)

    def log_density(w: float) -> float:
        sides = np.logaddexp(_log_normal(w - far, noise_power), _log_normal(w + far, noise_power))
        return float(sides) - math.log(2)

    return log_density, [(far, math.sqrt(noise_power))]


def _uniform(policy: nn.Module, jam_power: float, noise_power: float) -> Law:
    edge, scale = math.sqrt(3 * jam_power), math.sqrt(noise_power)

    def log_density(w: float) -> float:
        return math.log(max(float(ndtr((edge - w) / scale) - ndtr((-edge - w) / scale)), 1e-307) / (2 * edge))

    return log_density, [(edge, scale), (0.0, edge / SPLITS[-1])]


def _laplace(policy: nn.Module, jam_power: float, noise_power: float) -> Law:
    fall, scale = math.sqrt(jam_power / 2), math.sqrt(noise_power)

    def log_density(w: float) -> float:
        right = float(log_ndtr(w / scale - scale / fall)) - w / fall
        left = float(log_ndtr(-w / scale - scale / fall)) + w / fall
        return noise_power / (2 * fall**2) + float(np.logaddexp(left, right)) - math.log(2 * fall)

    return log_density, [(0.0, scale), (0.0, fall)]


def _pulsed(policy: nn.Module, jam_power: float, noise_power: float) -> Law:
    duty = float(policy.duty)  # type: ignore[arg-type]
    loud = jam_power / duty + noise_power

    def log_density(w: float) -> float:
        silent = math.log1p(-duty) + _log_normal(w, noise_power) if duty < 1 else -math.inf
        return float(np.logaddexp(silent, math.log(duty) + _log_normal(w, loud)))

    return log_density, [(0.0, math.sqrt(noise_power)), (0.0, math.sqrt(loud))]


LAWS: dict[type[nn.Module], Callable[[nn.Module, float, float], Law]] = {
    GaussianPolicy: _gaussian,
    TwoPointPolicy: _two_points,
    UniformPolicy: _uniform,
    LaplacePolicy: _laplace,
    PulsedPolicy: _pulsed,
}
