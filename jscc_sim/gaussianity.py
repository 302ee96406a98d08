"""How far a sample is from N(0, I), each distance beside its value for a true Gaussian sample of the same size."""

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]
DIRECTIONS = 64


def ks(sample: Array) -> float:
    """The largest Kolmogorov-Smirnov distance of any coordinate of ``sample (count, k)`` to N(0, 1)."""
    return max(float(stats.kstest(column, "norm").statistic) for column in np.asarray(sample, dtype=float).T)


def sliced_ks(sample: Array) -> float:
    """The largest such distance over 64 fixed random directions: sees dependence that no coordinate shows alone."""
    directions = np.random.default_rng(0).standard_normal((sample.shape[1], DIRECTIONS))
    return ks(sample @ (directions / np.linalg.norm(directions, axis=0)))


def covariance_error(sample: Array) -> float:
    """The spectral norm of ``E[z zᵀ] − I``: an offset, a wrong power or a correlation shows here."""
    return float(np.linalg.norm(sample.T @ sample / len(sample) - np.eye(sample.shape[1]), 2))


DISTANCES = {"ks": ks, "sliced_ks": sliced_ks, "covariance_error": covariance_error}


def distances(sample: Array) -> dict[str, float]:
    """Every distance of ``sample (count, k)`` from N(0, I); ``<name>_null`` is that of a true Gaussian sample."""
    sample = np.asarray(sample, dtype=float)
    null = np.random.default_rng(0).standard_normal(sample.shape)
    measured = {name: distance(sample) for name, distance in DISTANCES.items()}
    return measured | {f"{name}_null": distance(null) for name, distance in DISTANCES.items()}
