"""What codes on the points of square QAM in Gaussian noise can do: capacity, dispersion, the normal approximation.

Points are equally likely, ``snr = P/N`` per real use; a complex use is two real ones of ``√M`` amplitudes each. The
information density of an amplitude x is ``log2 p(y|x)/p(y)``. Source: Polyanskiy, Poor, Verdú, IEEE-IT 56(5), 2010.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from jscc_sim.theory.finite_blocklength import normal_error
from jscc_sim.theory.modulation import qam_terms
from jscc_sim.theory.parameters import Array, count, power

NODES = 200


def qam_capacity(order: float, snr: ArrayLike) -> Array:
    """The mean of the information density: bits per complex use of equally likely points, by Gauss and Hermite's rule.

    >>> qam_capacity(16, [1.0, 10.0, 1e3]).round(4)
    array([0.9897, 3.1639, 4.    ])
    """
    return _moments(order, snr)[0]


def qam_dispersion(order: float, snr: ArrayLike) -> Array:
    """The variance of the information density, bits² per complex use, over points and noise: that of random codes.

    >>> qam_dispersion(16, [1.0, 10.0]).round(4)
    array([1.628 , 1.4938])
    """
    return _moments(order, snr)[1]


def qam_normal_error(order: float, n: ArrayLike, snr: ArrayLike, bits: ArrayLike) -> Array:
    """``Q((nC/2 − k + ½ log2 n)/√(nV/2))`` of k bits over n real uses, two to a point: an approximation.

    >>> qam_normal_error(16, 128, 10.0, [190, 196]).round(4)
    array([0.051 , 0.1534])
    """
    uses, (mean, variance) = count("n", n), _moments(order, snr)
    spare = uses * mean / 2 - power("bits", bits) + np.log2(uses) / 2
    return normal_error(spare, uses * variance / 2)


def _moments(order: float, snr: ArrayLike) -> tuple[Array, Array]:
    """Mean and variance of the information density of a complex use, that of two axes."""
    bits, weights = _densities(order, snr)
    mean = bits @ weights
    return np.asarray(2 * mean), np.asarray(2 * ((bits - mean[..., None]) ** 2 @ weights))


def _densities(order: float, snr: ArrayLike) -> tuple[Array, Array]:
    """Information densities of one axis at its amplitudes and points of a quadrature over noise, and their weights."""
    qam_terms(order)  # refuses what is no square QAM
    side = math.isqrt(int(order))
    amplitudes = np.arange(1 - side, side, 2) * math.sqrt(3 / (side**2 - 1))
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    gaps = np.sqrt(power("snr", snr))[..., None, None, None] * (amplitudes[:, None] - amplitudes)[:, None, :]
    # log p(y|x')/p(y|x) where x' lies a gap below x, in units of the noise's deviation
    rivals = -gaps * (nodes[:, None] + gaps / 2)
    bits = -np.log2(np.exp(rivals - rivals.max(-1, keepdims=True)).mean(-1)) - rivals.max(-1) / math.log(2)
    return bits.reshape(*bits.shape[:-2], -1), np.tile(weights / weights.sum(), side) / side
