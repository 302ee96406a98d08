"""What a certificate says of a sample: how far it is from N(0, I), beside a true Gaussian sample of the same size."""

import math
from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.special import gammaln, hyp1f1, ndtr

Array = NDArray[np.float64]
DIRECTIONS = 64
# The energy distance looks at all pairs of so many words.
PAIRED = 2**11
# In more dimensions scipy's hypergeometric function may overflow, and an expansion is exact to six digits.
MANY = 100
# Of the true Gaussian samples: not one by which users draw samples of their own.
NULL_SEED = 781_204_953


def ks(sample: Array) -> float:
    """The largest Kolmogorov-Smirnov distance of any coordinate of ``sample (count, k)`` to N(0, 1)."""
    if np.ndim(sample) != 2:
        raise ValueError(f"a sample has shape (count, k), got {np.shape(sample)}")
    law = ndtr(np.sort(np.asarray(sample, dtype=float), axis=0))
    steps = np.arange(len(law) + 1)[:, None] / len(law)
    return float(max((steps[1:] - law).max(), (law - steps[:-1]).max()))


def sliced_ks(sample: Array) -> float:
    """The largest such distance over 64 fixed random directions: sees dependence that no coordinate shows alone."""
    if sample.shape[1] == 1:
        return ks(sample)
    directions = np.random.default_rng(0).standard_normal((sample.shape[1], DIRECTIONS))
    return ks(sample @ (directions / np.linalg.norm(directions, axis=0)))


def covariance_error(sample: Array) -> float:
    """The spectral norm of ``E[z zᵀ] − I``: an offset, a wrong power or a correlation shows here."""
    return float(np.linalg.norm(_second_moments(sample) - np.eye(sample.shape[1]), 2))


def covariance_min(sample: Array) -> float:
    """The least eigenvalue of ``E[z zᵀ]``: a direction that is left in peace shows here."""
    return float(np.linalg.eigvalsh(_second_moments(sample))[0])


def covariance_max(sample: Array) -> float:
    """The greatest eigenvalue of ``E[z zᵀ]``."""
    return float(np.linalg.eigvalsh(_second_moments(sample))[-1])


def mean_offset(sample: Array) -> float:
    """``‖E z‖/√k``: an offset wastes its square of the power."""
    return float(np.linalg.norm(sample.mean(0)) / math.sqrt(sample.shape[1]))


def excess_kurtosis(sample: Array) -> float:
    """``E z⁴/(E z²)² − 3`` of the coordinate where it is farthest from 0."""
    squares = sample**2
    return float(max((squares**2).mean(0) / squares.mean(0) ** 2 - 3, key=abs))


def radial_ratio(sample: Array) -> float:
    """``Var ‖z‖²/(E‖z‖²)²`` over a Gaussian's ``2/k``: 1 if the length varies as it should."""
    lengths = (sample**2).sum(1)
    return float(lengths.var() / lengths.mean() ** 2 * sample.shape[1] / 2)


def energy_distance(sample: Array) -> float:
    """``2 E‖z − g‖ − E‖z − z'‖ − E‖g − g'‖``, g Gaussian, of the first 2,048 words (Székely and Rizzo 2005).

    Zero for N(0, I) alone; the means over g are exact, so that a sample's may be negative.
    """
    few, k = np.asarray(sample[:PAIRED], dtype=float), sample.shape[1]
    among = cdist(few, few).sum() / (len(few) * max(1, len(few) - 1))
    return float(2 * mean_distance((few**2).sum(1), k).mean() - among - math.sqrt(2) * mean_distance(np.zeros(1), k)[0])


def mean_distance(squares: Array, k: int) -> Array:
    """``E‖z − g‖``, ``g ~ N(0, I)``, of words of squared length ``squares (count,)``: that of a noncentral χ law."""
    if k <= MANY:
        scale = math.sqrt(2) * math.exp(gammaln((k + 1) / 2) - gammaln(k / 2))
        return np.asarray(scale * hyp1f1(-0.5, k / 2, -squares / 2))
    mean = k + squares
    c2, c3, c4, c5, c6 = (2 ** (n - 1) * math.factorial(n - 1) * (k + n * squares) / mean**n for n in range(2, 7))
    fourth, fifth, sixth = c4 + 3 * c2**2, c5 + 10 * c3 * c2, c6 + 15 * c4 * c2 + 10 * c3**2 + 15 * c2**3
    series = 1 - c2 / 8 + c3 / 16 - 5 * fourth / 128 + 7 * fifth / 256 - 21 * sixth / 1024
    return np.asarray(np.sqrt(mean) * series)


def _second_moments(sample: Array) -> Array:
    return np.asarray(sample.T @ sample / len(sample))


DISTANCES = {"ks": ks, "sliced_ks": sliced_ks, "covariance_error": covariance_error}
# What a certificate says of a jammer, those above included; 0 for a Gaussian, but for the last three, where it is 1.
STATISTICS = {
    **DISTANCES,
    "excess_kurtosis": excess_kurtosis,
    "mean_offset": mean_offset,
    "energy_distance": energy_distance,
    "radial_ratio": radial_ratio,
    "covariance_min": covariance_min,
    "covariance_max": covariance_max,
}


def distances(sample: Array) -> dict[str, float]:
    """Every distance of ``sample (count, k)`` from N(0, I); ``<name>_null`` is that of a true Gaussian sample."""
    return beside_null(sample, DISTANCES)


def statistics(sample: Array) -> dict[str, float]:
    """Every statistic of ``sample (count, k)``; ``<name>_null`` is that of a true Gaussian sample of the same size."""
    return beside_null(sample, STATISTICS)


def beside_null(sample: Array, named: Mapping[str, Callable[[Array], float]]) -> dict[str, float]:
    """Each of the ``named`` of ``sample (count, k)`` and, as ``<name>_null``, that of one fixed Gaussian sample."""
    sample = np.asarray(sample, dtype=float)
    measured = {name: statistic(sample) for name, statistic in named.items()}
    return measured | {f"{name}_null": _null(statistic, *sample.shape) for name, statistic in named.items()}


@lru_cache(maxsize=256)
def _null(statistic: Callable[[Array], float], count: int, k: int) -> float:
    return statistic(np.random.default_rng(NULL_SEED).standard_normal((count, k)))
