"""Exact error rates of Gray-labelled constellations, each bit decided with the nearest point.

``SNR = P/N`` per real use, which is Es/N0 of a complex symbol. The bit error rate of square QAM is a sum of those of
antipodal symbols, so that fading averages term by term: ``Σ w Q(√(c SNR))`` has terms ``(w, c)``.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from jscc_sim.theory.coding import bpsk_error
from jscc_sim.theory.fading import rayleigh_bpsk_error, rician_bpsk_error
from jscc_sim.theory.parameters import Array, count, ratio

NODES = 200

Terms = list[tuple[float, float]]


def qam_terms(order: float) -> Terms:
    """The terms of the bit error rate of square QAM (Cho and Yoon, IEEE Trans. Commun. 50(7), 2002).

    >>> qam_terms(4)
    [(1.0, 1.0)]
    >>> [(round(w, 3), round(c, 3)) for w, c in qam_terms(16)]
    [(0.75, 0.2), (0.5, 1.8), (-0.25, 5.0)]
    """
    side = math.isqrt(int(order)) if order >= 4 else 0
    bits = side.bit_length() - 1
    if side < 2 or side**2 != order or 2**bits != side:
        raise ValueError(f"order must be that of a square QAM, 4, 16, 64 or so, got {order:g}")
    weights: dict[int, float] = {}
    for bit in range(1, bits + 1):
        for i in range(side - side // 2**bit):
            step = i * 2 ** (bit - 1)
            weight = 2 ** (bit - 1) - (2 * step + side) // (2 * side)
            weights[i] = weights.get(i, 0.0) + (-1) ** (step // side) * weight * 2 / (side * bits)
    return [(weight, 3 * (2 * i + 1) ** 2 / (order - 1)) for i, weight in sorted(weights.items()) if weight]


def qam_error(order: float, snr: ArrayLike) -> Array:
    """The bit error rate of square QAM in Gaussian noise.

    >>> qam_error(16, [1, 10]).round(6)
    array([0.28728 , 0.058993])
    """
    return _summed(order, snr, bpsk_error)


def rayleigh_qam_error(order: float, snr: ArrayLike) -> Array:
    """The same over Rayleigh fading with CSI, ``SNR`` the mean.

    >>> rayleigh_qam_error(16, [1, 10]).round(6)
    array([0.320516, 0.120237])
    """
    return _summed(order, snr, rayleigh_bpsk_error)


def rician_qam_error(order: float, snr: ArrayLike, k_factor: ArrayLike) -> Array:
    """The same over Rician fading with CSI.

    >>> rician_qam_error(16, 10, [0, float("inf")]).round(6)
    array([0.120237, 0.058993])
    """
    return _summed(order, snr, lambda faded: rician_bpsk_error(faded, k_factor))


def _summed(order: float, snr: ArrayLike, error: Callable[[Array], Array]) -> Array:
    """The terms of the bit error rate, by the error rate of an antipodal symbol at an SNR."""
    snr = ratio("snr", snr)
    return np.asarray(sum(weight * error(scale * snr) for weight, scale in qam_terms(order)))


def qam_symbol_error(order: float, snr: ArrayLike) -> Array:
    """``1 − (1 − p)²``, ``p = 2 (1 − 1/√M) Q(√(3 SNR/(M − 1)))``: points of square QAM in Gaussian noise (Proakis).

    >>> qam_symbol_error(16, [10]).round(6)
    array([0.222031])
    """
    qam_terms(order)  # refuses what is no square QAM
    side = math.sqrt(order)
    wrong = 2 * (1 - 1 / side) * bpsk_error(3 * ratio("snr", snr) / (order - 1))
    return np.asarray(wrong * (2 - wrong))


def psk8_error(snr: ArrayLike) -> Array:
    """``⅔ (a + b − ab)``, ``a, b = Q(√(2 SNR) sin π/8), Q(√(2 SNR) cos π/8)``: the bit error rate of 8-PSK.

    Two bits are signs on the axes; the third is the product of those on the diagonals, whose noises are independent.

    >>> psk8_error([10]).round(6)
    array([0.029013])
    """
    near, far = (bpsk_error(2 * ratio("snr", snr) * part**2) for part in (math.sin(math.pi / 8), math.cos(math.pi / 8)))
    return np.asarray(2 / 3 * (near + far - near * far))


def rayleigh_psk8_error(snr: ArrayLike) -> Array:
    """The same over Rayleigh fading with CSI, ``SNR`` the mean.

    The mean of ``ab`` is that of ``(1/2π) ∫ exp(−h² c/sin²θ) dθ`` up to ``φ``, twice: ``c = SNR sin² φ``, at ``φ`` of
    π/8 and 3π/8 (Simon and Alouini, Digital Communication over Fading Channels, 2005, section 4.1).

    >>> rayleigh_psk8_error([10]).round(6)
    array([0.088195])
    """
    snr = ratio("snr", snr)
    powers = {angle: snr * math.sin(angle) ** 2 for angle in (math.pi / 8, 3 * math.pi / 8)}
    near, far = (rayleigh_bpsk_error(2 * power) for power in powers.values())
    both = sum(_faded_angle(angle, power) for angle, power in powers.items())
    return np.asarray(2 / 3 * (near + far - both / (2 * math.pi)))


def _faded_angle(angle: float, power: Array) -> Array:
    """``∫ sin²θ/(sin²θ + power) dθ`` up to an angle."""
    share = np.sqrt(power / (1 + power))
    return angle - share * np.arctan2(np.tan(angle), share)


def psk_symbol_error(order: float, snr: ArrayLike) -> Array:
    """``(1/π) ∫ exp(−SNR sin²(π/M)/sin²θ) dθ`` up to ``π − π/M``: points of M-PSK in Gaussian noise (Craig).

    >>> psk_symbol_error(8, [10]).round(6)
    array([0.087005])
    """
    points = float(count("order", order, 2))
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    span = math.pi * (1 - 1 / points)
    angles = span * (nodes + 1) / 2
    decay = (math.sin(math.pi / points) / np.sin(angles)) ** 2
    return np.asarray(np.exp(-ratio("snr", snr)[..., None] * decay) @ weights * span / (2 * math.pi))
