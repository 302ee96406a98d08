"""What a regulariser says of latents: distances from N(0, I), each beside that of a true Gaussian sample."""

import math
import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammainc

from jscc_sim.gaussianity.classifier import c2st
from jscc_sim.gaussianity.statistics import DISTANCES, Array, beside_null, mean_distance

# Statistics of all pairs look at so many words, spread evenly over the sample, and at so many rows at a time.
PAIRED, ROWS = 10_000, 1000
# Directions with less than this share of the largest variance count as empty.
EMPTY = 1e-10


def energy(sample: Array) -> float:
    """``2 E‖z − g‖ − E‖z − z'‖ − E‖g − g'‖``, ``g`` Gaussian, over all pairs of up to 10,000 words.

    The energy distance of Székely and Rizzo (2005): zero for N(0, I) alone. The means over ``g`` are exact; a word is
    paired with itself too, so that the value is never negative, and ``E‖g − g'‖/count``, about ``√(2k)/count``, for a
    true Gaussian sample (`energy_distance` leaves these pairs out and has mean zero instead).
    """
    few, k = _spread(sample), sample.shape[1]
    to_gaussian = mean_distance((few**2).sum(1), k).mean()
    return float(2 * to_gaussian - _mean_over_pairs(few, np.sqrt) - mean_distance(np.zeros(1), k)[0] * math.sqrt(2))


def energy_whitened(sample: Array) -> float:
    """The same after the sample's own mean and covariance are removed: of the shape alone."""
    return energy(whiten(sample))


def hz(sample: Array) -> float:
    """The statistic of Henze and Zirkler (1990) for normality with unknown mean and covariance, of up to 10,000 words.

    ``count ∫ |φ(t) − exp(−‖t‖²/2)|² N(t; 0, β² I) dt``, with ``φ`` the characteristic function of the whitened words
    and ``β = ((2k + 1) count/4)^(1/(k + 4))/√2``. Below 1 in the mean for any Gaussian; others grow with the count.
    """
    few, k = whiten(_spread(sample)), sample.shape[1]
    squared_beta = ((2 * k + 1) * len(few) / 4) ** (2 / (k + 4)) / 2
    pairs = _mean_over_pairs(few, lambda squares: np.exp(-squared_beta / 2 * squares))
    singles = np.exp(-squared_beta / (2 + 2 * squared_beta) * (few**2).sum(1)).mean() * (1 + squared_beta) ** (-k / 2)
    return float(len(few) * (pairs - 2 * singles + (1 + 2 * squared_beta) ** (-k / 2)))


def radial_chi2(sample: Array) -> float:
    """The Kolmogorov-Smirnov distance of ``‖z‖²`` from the χ² law of ``k`` degrees of freedom."""
    law = np.sort(gammainc(sample.shape[1] / 2, (sample**2).sum(1) / 2))
    steps = np.arange(len(law) + 1) / len(law)
    return float(max((steps[1:] - law).max(), (law - steps[:-1]).max()))


def dpc(sample: Array) -> float:
    """The determinant of the Pearson correlation matrix: 1 if no two coordinates are correlated, 0 if some depend.

    It is the square of the share of volume that correlation leaves (El-Geresy and Gündüz, arXiv 2512.02740). A Gaussian
    sample has about ``exp(−k²/(2 count))``. A coordinate without variance makes it 0.
    """
    centred = sample - sample.mean(0)
    deviations = np.sqrt((centred**2).mean(0))
    if not deviations.min() ** 2 > EMPTY * deviations.max() ** 2:
        return 0.0
    scaled = centred / deviations
    return max(0.0, float(np.linalg.det(scaled.T @ scaled / len(sample))))


# Zero, or a number that falls with the count, for N(0, I); of `dpc` it is 1, of `hz` just below 1, of `c2st` one half.
LATENT = {
    **DISTANCES,
    "energy": energy,
    "energy_whitened": energy_whitened,
    "hz": hz,
    "radial_chi2": radial_chi2,
    "dpc": dpc,
    "c2st": c2st,
}


def latent_metrics(z: ArrayLike) -> dict[str, float]:
    """Every metric of ``LATENT`` of latents ``z (count, k)``; ``<name>_null`` is that of one fixed Gaussian sample.

    Latents without variance in some direction bring one warning, and zeros there where they are whitened.
    """
    sample = np.asarray(z, dtype=float)
    if sample.ndim != 2 or len(sample) < max(4, 2 * sample.shape[1]):
        raise ValueError(f"metrics need latents (count, k) with count at least 4 and 2k, got {sample.shape}")
    if not np.isfinite(sample).all():
        bad = int((~np.isfinite(sample)).any(1).sum())
        raise ValueError(f"metrics need finite latents, but {bad} of {len(sample)} hold NaN or infinity")
    variances = np.linalg.eigvalsh(np.cov(sample.T, ddof=0).reshape(sample.shape[1], -1))
    rank = int((variances > EMPTY * variances[-1]).sum())
    if rank < sample.shape[1]:
        text = f"latents fill only {rank} of {sample.shape[1]} dimensions: whitened, the others count as zeros"
        warnings.warn(text, stacklevel=2)
    return beside_null(sample, LATENT)


def whiten(sample: Array) -> Array:
    """``sample (count, k)`` without mean and with covariance I; directions without variance stay at zero."""
    centred = sample - sample.mean(0)
    variances, directions = np.linalg.eigh(centred.T @ centred / len(sample))
    kept = variances > EMPTY * variances[-1]
    roots = np.sqrt(np.where(kept, variances, np.inf))
    return np.asarray((centred @ directions / roots) @ directions.T)


def _spread(sample: Array) -> Array:
    """Up to ``PAIRED`` words at equal steps, since a sample may be ordered, as MNIST's test images are."""
    if len(sample) <= PAIRED:
        return sample
    return sample[np.linspace(0, len(sample) - 1, PAIRED).round().astype(int)]


def _mean_over_pairs(words: Array, of: Callable[[Array], Array]) -> float:
    """The mean of a function of ``‖z − z'‖²`` over all pairs of ``words``, each with itself too."""
    lengths, total = (words**2).sum(1), 0.0
    for start in range(0, len(words), ROWS):
        block = slice(start, start + ROWS)
        after = slice(start + ROWS, None)
        within = lengths[block, None] + lengths[block] - 2 * words[block] @ words[block].T
        np.fill_diagonal(within, 0)
        beyond = lengths[block, None] + lengths[after] - 2 * words[block] @ words[after].T
        total += float(of(within.clip(0)).sum() + 2 * of(beyond.clip(0)).sum())
    return total / len(words) ** 2
