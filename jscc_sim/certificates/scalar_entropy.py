"""What any codec can do against a jammer of independent symbols: the entropy of its signal in noise, by convolution."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.signal import fftconvolve
from scipy.special import entr

Array = NDArray[np.float64]
# Of one-sided limits.
CONFIDENCE = 0.99
BATCHES, WORDS = 32, 2**15  # of a net, whose samples are placed evenly
PLAIN_WORDS = 2**17
# Bins to the noise's standard deviation, unless more than so many in all would be needed.
FINENESS, MOST_BINS = 256, 2**21
NOISE_REACH = 9.0
# Densities below this are left out of Fisher's information: they are the rounding of the convolution.
FAINTEST = 1e-13


@dataclass(frozen=True, eq=False)
class Density:
    """The density ``values`` of ``W = Z + w`` on a uniform grid, Z one of a batch of samples, ``w ~ N(0, N)``."""

    values: Array
    start: float
    step: float
    noise_power: float

    @property
    def entropy(self) -> float:
        """h(W) in nats, less what the bins may have added to it.

        Samples are shared by two neighbouring bins, which is linear interpolation of ``E log p(z + w)`` in z. Its
        error and the divergence of the batch from what the bins made of it are ``3/8 (step/σ)²`` at most to second
        order, because ``E|(log p)''| ≤ 2/N``.
        """
        return float(self.step * entr(self.values).sum()) - 0.375 * self.step**2 / self.noise_power

    def least_error(self, signal_power: float = 1.0) -> float:
        """``1 − P I(X + W)``, I Fisher's information: the error of the best receiver where ``√P u`` is sent plainly."""
        reach = math.ceil(NOISE_REACH * math.sqrt(signal_power) / self.step)
        received = self.step * fftconvolve(self.values, _normal(reach, self.step, signal_power))
        slope, seen = np.gradient(received, self.step), received > FAINTEST
        return float(1 - signal_power * self.step * np.sum(slope[seen] ** 2 / received[seen]))


def density(sample: Array, noise_power: float) -> Density:
    """Of a batch of samples ``(count,)`` of Z."""
    scale = math.sqrt(noise_power)
    most = float(np.abs(sample).max())
    step = max(scale / FINENESS, 2 * (most + NOISE_REACH * scale) / MOST_BINS)
    half = math.ceil(most / step) + 1
    places = sample / step + half
    bins = np.floor(places).astype(np.int64)
    share, count = places - bins, 2 * half + 2
    histogram = np.bincount(bins, 1 - share, count) + np.bincount(bins + 1, share, count)
    reach = math.ceil(NOISE_REACH * scale / step)
    values = fftconvolve(histogram / len(sample), _normal(reach, step, noise_power))
    return Density(np.maximum(values, 0), -(half + reach) * step, step, noise_power)


def _normal(reach: int, step: float, variance: float) -> Array:
    points = step * np.arange(-reach, reach + 1)
    return np.asarray(np.exp(points**2 / (-2 * variance)) / math.sqrt(2 * math.pi * variance))


def scalar_bound(batches: Iterable[Array], jam_power: float, noise_power: float) -> tuple[float, float]:
    """``log(e^{2h(W)}/(1 + E Z² + N))`` bounded from below: the mean over batches and its lower confidence limit.

    The density of a batch has the true density for its mean, and the entropy is concave, so that its entropy is too
    small on average: the limit holds with its confidence, whatever the size of the batches. As the logarithm of the
    power received is concave in ``E Z²``, its tangent at PA bounds it, and the power that is truly spent counts.
    """
    total = 1 + jam_power + noise_power
    found = [
        2 * density(batch, noise_power).entropy - (float(np.mean(batch**2)) - jam_power) / total - math.log(total)
        for batch in batches
    ]
    return float(np.mean(found)), lower_limit(found)


def lower_limit(found: list[float]) -> float:
    """Student's one-sided lower limit of the mean of independent numbers."""
    error = float(np.std(found, ddof=1)) / math.sqrt(len(found))
    return float(np.mean(found) - stats.t.ppf(CONFIDENCE, len(found) - 1) * error)
