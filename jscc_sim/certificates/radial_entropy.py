"""What any codec can do against a jammer whose words have no preferred direction: entropy by their lengths alone."""

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr, gammaln, ive

from jscc_sim.certificates.scalar_entropy import NOISE_REACH, lower_limit

Array = NDArray[np.float64]
# Bins of lengths, and points of integrals, to the noise's standard deviation; and the most bins.
BINS, POINTS, MOST_BINS = 32, 16, 2**11


def radial_bound(batches: Iterable[Array], k: int, jam_power: float, noise_power: float) -> tuple[float, float]:
    """As `scalar_entropy.scalar_bound`, per symbol, from batches of lengths ``‖Z‖``, for a spherically symmetric Z.

    Given the length a, ``W = Z + w`` has density ``(2πN)^{−k/2} e^{−(r² + a²)/2N} Γ(k/2) (2/κ)^ν I_ν(κ)`` at distance r
    from the origin, ``κ = ra/N``, ``ν = k/2 − 1``: the mean of a Gaussian's over all directions of Z. The density of a
    batch has the true one for its mean, and the entropy is concave.
    """
    lengths = list(batches)
    scale, total = math.sqrt(noise_power), 1 + jam_power + noise_power
    most = max(float(batch.max()) for batch in lengths)
    step = max(scale / BINS, most / MOST_BINS)
    knots = np.asarray(step * np.arange(math.ceil(most / step) + 2), dtype=float)
    r = np.arange(scale / POINTS / 2, most + (NOISE_REACH + math.sqrt(k)) * scale, scale / POINTS)
    given, shell = _densities(r, knots, k, noise_power), _shell(r, k) * scale / POINTS
    # The bins may add as much to the entropy as in one dimension: see `scalar_entropy.Density.entropy`.
    blur = 0.375 * step**2 / noise_power
    found = []
    for batch in lengths:
        entropy = float(shell @ entr(given @ _histogram(batch / step, len(knots)))) - blur
        found.append(2 / k * entropy - (float(np.mean(batch**2)) / k - jam_power) / total - math.log(total))
    return float(np.mean(found)), lower_limit(found)


def _densities(r: Array, lengths: Array, k: int, noise_power: float) -> Array:
    """``(points, lengths)``: of W at distance r, given the length of Z."""
    order, pulls = k / 2 - 1, r[:, None] * lengths / noise_power
    weak = pulls**2 < 0.01 * k  # there a series, before the Bessel function underflows
    strong = np.where(weak, math.sqrt(k), pulls)
    log_mean = np.where(
        weak,
        pulls**2 / (2 * k) - pulls**4 / (4 * k**2 * (k + 2)) - pulls,
        np.log(ive(order, strong)) + order * np.log(2 / strong) + gammaln(k / 2),
    )
    near = (r[:, None] - lengths) ** 2 / (2 * noise_power)
    return np.asarray(np.exp(log_mean - near - k / 2 * math.log(2 * math.pi * noise_power)))


def _shell(r: Array, k: int) -> Array:
    """The surface of the sphere of radius r in k dimensions."""
    return np.asarray(np.exp(math.log(2) + k / 2 * math.log(math.pi) - gammaln(k / 2) + (k - 1) * np.log(r)))


def _histogram(places: Array, count: int) -> Array:
    """Shares of a batch on the knots, each sample between its two neighbours."""
    bins = np.floor(places).astype(np.int64)
    share = places - bins
    both = np.bincount(bins, 1 - share, count) + np.bincount(bins + 1, share, count)
    return np.asarray(both / len(places))
