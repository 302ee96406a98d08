"""Limits of binary codes against nature: capacities of BSC and BEC in bits per use, and their OPTA."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import xlog1py, xlogy

from jscc_sim.theory.parameters import Array, count, power, probability

# Of a quadrature over a Gaussian: enough for eight digits.
NODES = 200


def binary_entropy(p: ArrayLike) -> Array:
    """``H(p) = −p log2 p − (1−p) log2(1−p)`` bits.

    >>> round(float(binary_entropy(0.11)), 6)
    0.499916
    """
    p = probability("p", p)
    return np.asarray(np.abs(xlogy(p, p) + xlog1py(1 - p, -p)) / np.log(2))  # no −0


def bsc_capacity(p: ArrayLike) -> Array:
    """``1 − H(p)``: a random BSC, and with shared randomness any adversary of budget p; accurate near ½ too.

    >>> round(float(bsc_capacity(0.11)), 6)
    0.500084
    """
    return _capacity_of_bias(np.abs(1 - 2 * probability("p", p)))


def _capacity_of_bias(bias: Array) -> Array:
    """``1 − H((1 − d)/2)`` at bias ``d = |1 − 2p|``; ``1 − H`` itself would cancel for small d."""
    small = np.minimum(bias, 0.5)
    near_half = (np.log1p(-(small**2)) + 2 * small * np.arctanh(small)) / np.log(4)
    return np.where(bias < 0.5, near_half, 1 - binary_entropy((1 - bias) / 2))


def bec_capacity(p: ArrayLike) -> Array:
    """``1 − p``: a random BEC.

    >>> float(bec_capacity(0.25))
    0.75
    """
    return 1 - probability("p", p)


def antipodal_capacity(snr: ArrayLike) -> Array:
    """Capacity of a Gaussian channel whose symbols are ±√P, at ``snr = P/N``: ``1 − E log2(1 + e^−L)``, L of one sent.

    The log-likelihood ratio L is Gaussian, of mean 2·snr and variance 4·snr; the mean is by Gauss and Hermite's rule.
    Source: Richardson and Urbanke, *Modern Coding Theory*, section 4.1.

    >>> antipodal_capacity([0.0, 1.044, 1e3]).round(3)
    array([0. , 0.5, 1. ])
    """
    lost, weights = _lost(snr)
    return np.asarray(1 - lost @ weights)


def dispersion_antipodal(snr: ArrayLike) -> Array:
    """The variance of ``log2(1 + e^−L)`` bits, L as in `antipodal_capacity`.

    >>> dispersion_antipodal([1.0]).round(4)
    array([0.6597])
    """
    lost, weights = _lost(snr)
    return np.asarray((lost - (lost @ weights)[..., None]) ** 2 @ weights)


def _lost(snr: ArrayLike) -> tuple[Array, Array]:
    """``log2(1 + e^−L)`` at points of a quadrature over L, on the last axis, and their weights."""
    snr = power("snr", snr)[..., None]
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    return np.logaddexp(0, -(2 * snr + 2 * np.sqrt(snr) * nodes)) / np.log(2), weights / weights.sum()


def hamming_opta(p: ArrayLike, k: ArrayLike, n: ArrayLike) -> Array:
    """D with ``1 − H(D) = (n/k)(1 − H(p))``: the least bit error rate of k fair bits over n uses of a BSC.

    Zero if the right side reaches 1; for k = n uncoded bits attain it, ``D = p``.

    >>> hamming_opta([0.1, 0.05], [1, 2], 1).round(6)
    array([0.1     , 0.163747])
    """
    rate = count("n", n) / count("k", k) * bsc_capacity(p)
    return np.asarray(np.vectorize(_inverse_capacity, otypes=[float])(rate))


def _inverse_capacity(rate: float) -> float:
    """The p ≤ ½ with ``1 − H(p) = rate``, to full relative precision at either end."""
    if rate >= 1 or rate <= 0:
        return 0.0 if rate >= 1 else 0.5
    if rate > 0.5:
        return _root(lambda p: float(binary_entropy(p)) - (1 - rate), 0.25)
    return 0.5 - _root(lambda bias: float(_capacity_of_bias(np.asarray(bias))) - rate, 1.0) / 2


def _root(rises: Callable[[float], float], high: float) -> float:
    """Of a function that rises from below 0 at 0, to full relative precision however small."""
    return float(brentq(rises, 0.0, high, xtol=1e-300, rtol=1e-15, maxiter=5000))
