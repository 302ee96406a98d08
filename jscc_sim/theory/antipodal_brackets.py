"""What codes of n antipodal symbols in Gaussian noise can do: a converse, a code that exists, a guide line between.

``snr = P/N`` per real use, ``bits`` is log2 of the number M of code words, ε the probability of a wrong word.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv
from scipy.stats import nct, norm

from jscc_sim.theory.binary_limits import antipodal_capacity, dispersion_antipodal
from jscc_sim.theory.finite_blocklength import normal_error
from jscc_sim.theory.parameters import Array, count, power

# With more bits the cone of a code word is narrower than a float can say.
MOST_BITS = 1000
# Points of a grid of sums, and how many bits it spans times √n: eight standard deviations and more to either side.
GRID, SPAN = 2**20, 16
EXPONENTS = (0.6, 0.7, 0.8, 0.9, 1.0)


def sphere_packing_error(n: ArrayLike, snr: ArrayLike, bits: ArrayLike) -> Array:
    """``P(T < √(n−1) cot θ)``, T of Student's noncentral law with n − 1 degrees and centre ``√(n snr)``.

    No code of ``2^bits`` words of one energy errs less: θ is the angle of the cone that is M times in the whole space.
    Source: Shannon, Bell Syst. Tech. J. 38(3), 1959.

    >>> sphere_packing_error([128, 1024], [1.0, 1.5], [64, 512]).round(6)
    array([0.328776, 0.      ])
    """
    return _over_arrays(_sphere_packing, n, snr, bits)


def antipodal_achievable_error(n: ArrayLike, snr: ArrayLike, bits: ArrayLike) -> Array:
    """``min over s of E 2^{−(S − log2(M−1))+}``, S the sum of n information densities ``1 − log2(1 + e^−sL)``.

    A code of ``2^bits`` words of ±1 errs no more: the random-coding union bound, weakened by Markov's inequality
    (RCUs). By Fourier's transform on a grid of sums; densities are rounded down, so that it stays a bound.
    Source: Martinez and Guillén i Fàbregas, ITA 2011.

    >>> antipodal_achievable_error([128], 1.5, 64).round(4)
    array([0.049])
    """
    return _over_arrays(_union, n, snr, bits)


def antipodal_normal_error(n: ArrayLike, snr: ArrayLike, bits: ArrayLike) -> Array:
    """``Q((nC − k + ½ log2 n)/√(nV))``, k bits, ``V`` the variance of the information density: an approximation.

    Source: Polyanskiy, Poor, Verdú, IEEE-IT 56(5), 2010.

    >>> antipodal_normal_error([128], 1.5, 64).round(4)
    array([0.0153])
    """
    n, snr, bits = count("n", n), power("snr", snr), power("bits", bits)
    return normal_error(n * antipodal_capacity(snr) - bits + np.log2(n) / 2, n * dispersion_antipodal(snr))


def _sphere_packing(n: float, snr: float, bits: float) -> float:
    if bits > MOST_BITS:
        raise ValueError(f"bits must be at most {MOST_BITS}, got {bits:g}")
    if n < 2 or bits < 1:
        raise ValueError(f"a cone takes n of 2 or more and 1 bit or more, got n={n:g}, bits={bits:g}")
    square = betaincinv((n - 1) / 2, 0.5, 2 * 2.0**-bits)  # sin² θ
    return float(nct.cdf(np.sqrt((n - 1) * (1 - square) / square), n - 1, np.sqrt(n * snr)))


def _union(n: float, snr: float, bits: float) -> float:
    return min(_union_at(s, n, snr, bits) for s in EXPONENTS)


def _union_at(s: float, n: float, snr: float, bits: float) -> float:
    steps = GRID / (SPAN * np.sqrt(n))  # to a bit
    places = np.arange(-GRID // 2, int(steps) + 1)
    lost = np.maximum(1 - places[1:] / steps, 0) * np.log(2)
    with np.errstate(divide="ignore"):  # no LLR is large enough for a whole bit
        llrs = (-lost - np.log(-np.expm1(-lost))) / s
    chances = np.diff(norm.cdf(llrs, 2 * snr, 2 * np.sqrt(snr)), prepend=0.0, append=1.0)
    law = np.zeros(GRID)
    law[places % GRID] = chances
    total = np.maximum(np.fft.irfft(np.fft.rfft(law) ** int(n), GRID), 0)
    middle = round(n * float(places @ chances))
    sums = (middle + (np.arange(GRID) - middle + GRID // 2) % GRID - GRID // 2) / steps
    others = bits + np.log2(-np.expm1(-bits * np.log(2)))  # log2(M − 1)
    return float(min(1.0, total @ np.exp2(-np.maximum(sums - others, 0))))


def _over_arrays(bound: Callable[[float, float, float], float], n: ArrayLike, snr: ArrayLike, bits: ArrayLike) -> Array:
    checked = count("n", n), power("snr", snr), power("bits", bits)
    return np.asarray(np.vectorize(bound, otypes=[float])(*checked))
