"""What n uses of a channel can do: dispersions, the normal approximation, and excess distortion of a Gaussian source.

``C`` is in bits per use, ``V`` in bits² per use, ``ε`` the probability of a word error (or of too much distortion),
``bits`` is log2 of the number of code words. The normal approximation is a guide line and no bound: the exact brackets
are in `code_brackets`. Sources: Polyanskiy, Poor, Verdú, IEEE-IT 56(5), 2010; Kostina, Verdú, arXiv 1209.1317.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtri, ndtr, ndtri, xlogy

from jscc_sim.theory.binary_limits import bec_capacity, bsc_capacity
from jscc_sim.theory.limits import capacity_complex, capacity_real
from jscc_sim.theory.parameters import Array, count, error_level, power, probability

BITS = np.log2(np.e)  # one nat


def dispersion_real(snr: ArrayLike) -> Array:
    """``log2(e)² P (P+2) / 2(P+1)²`` of the real AWGN channel at SNR P.

    >>> round(float(dispersion_real(1)), 6)
    0.780513
    """
    missing = 1 / (1 + power("snr", snr))
    return BITS**2 / 2 * (1 - missing) * (1 + missing)  # P (P+2) = (P+1)² − 1, which would overflow


def dispersion_complex(snr: ArrayLike) -> Array:
    """Twice that of a real use: the complex AWGN channel.

    >>> round(float(dispersion_complex(1)), 6)
    1.561027
    """
    return 2 * dispersion_real(snr)


def dispersion_bsc(flip: ArrayLike) -> Array:
    """``p (1−p) log2²((1−p)/p)``, 0 at p = 0, ½ and 1.

    >>> round(float(dispersion_bsc(0.11)), 6)
    0.890702
    """
    p = probability("flip", flip)
    # Each square root apart, so that 0·∞ never arises.
    root = np.sqrt(1 - p) * _log_over_root(p) - np.sqrt(p) * _log_over_root(1 - p)
    return root**2


def dispersion_bec(erase: ArrayLike) -> Array:
    """``p (1−p)``.

    >>> float(dispersion_bec(0.5))
    0.25
    """
    p = probability("erase", erase)
    return p * (1 - p)


def normal_rate_real(n: ArrayLike, error: ArrayLike, snr: ArrayLike) -> Array:
    """``C − √(V/n) Q⁻¹(ε) + log2(n)/2n`` bits per real use of the AWGN channel, an approximation.

    >>> round(float(normal_rate_real(500, 1e-3, 1)), 6)
    0.386871
    """
    return _normal_rate(n, error, capacity_real(snr, 0, 1), dispersion_real(snr)) + _log_term(n)


def normal_rate_complex(n: ArrayLike, error: ArrayLike, snr: ArrayLike) -> Array:
    """The same bits per complex use.

    >>> round(float(normal_rate_complex(500, 1e-3, 1)), 6)
    0.836298
    """
    return _normal_rate(n, error, capacity_complex(snr, 0, 1), dispersion_complex(snr)) + _log_term(n)


def normal_rate_bsc(n: ArrayLike, error: ArrayLike, flip: ArrayLike) -> Array:
    """The same for a BSC with ``0 < flip < ½``; at 0.11 and ε = 1e-3, 1.2 to 1.7 bits in all below random coding.

    >>> round(float(normal_rate_bsc(500, 1e-3, 0.11)), 6)
    0.378621
    """
    return _normal_rate(n, error, bsc_capacity(flip), dispersion_bsc(flip)) + _log_term(n)


def normal_rate_bec(n: ArrayLike, error: ArrayLike, erase: ArrayLike) -> Array:
    """``C − √(V/n) Q⁻¹(ε)`` for a BEC, without the logarithmic term.

    >>> round(float(normal_rate_bec(500, 1e-3, 0.5)), 6)
    0.4309
    """
    return _normal_rate(n, error, bec_capacity(erase), dispersion_bec(erase))


def normal_error(spare: ArrayLike, variance: ArrayLike) -> Array:
    """``Q(spare/√variance)``: that information of this variance falls ``spare`` bits and more short of its mean.

    >>> normal_error([0, 10, -10], [25, 25, 0]).round(4)
    array([0.5   , 0.0228, 1.    ])
    """
    spare, variance = np.asarray(spare, dtype=float), power("variance", variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(variance > 0, ndtr(-spare / np.sqrt(variance)), np.where(spare < 0, 1.0, 0.0))


def normal_error_bsc(n: ArrayLike, flip: ArrayLike, bits: ArrayLike) -> Array:
    """``Q((nC − k + ½ log2 n)/√(nV))`` of k bits over a BSC, the inverse of `normal_rate_bsc`.

    >>> round(float(normal_error_bsc(500, 0.11, 500 * 0.378621)), 6)
    0.001
    """
    uses = count("n", n)
    spare = uses * bsc_capacity(flip) - power("bits", bits) + np.log2(uses) / 2
    return normal_error(spare, uses * dispersion_bsc(flip))


def normal_error_bec(n: ArrayLike, erase: ArrayLike, bits: ArrayLike) -> Array:
    """``Q((nC − k)/√(nV))`` of k bits over a BEC, the inverse of `normal_rate_bec`.

    >>> round(float(normal_error_bec(500, 0.5, 500 * 0.4309)), 6)
    0.001
    """
    uses = count("n", n)
    return normal_error(uses * bec_capacity(erase) - power("bits", bits), uses * dispersion_bec(erase))


def excess_distortion(k: ArrayLike, n: ArrayLike, snr: ArrayLike, error: ArrayLike) -> Array:
    """d with ``nC − k ½ log2(1/d) = √(nV + kVs) Q⁻¹(ε)``, ``Vs = ½ log2²(e)``: exceeded with probability ε.

    The Gaussian approximation of the best code for k unit Gaussian symbols over n real uses of AWGN; it is about the
    excess of distortion, not its mean. Above 1 it says that the rate is spent before ε is met.

    >>> round(float(excess_distortion(100, 100, 1, 0.01)), 6)
    0.772651
    """
    symbols, uses = count("k", k), count("n", n)
    spread = np.sqrt(uses * dispersion_real(snr) + symbols * BITS**2 / 2)
    bits = uses * capacity_real(snr, 0, 1) + spread * ndtri(error_level("error", error))
    return np.asarray(np.exp2(-2 * bits / symbols))


def uncoded_excess_distortion(k: ArrayLike, snr: ArrayLike, error: ArrayLike) -> Array:
    """``D* χ²_k-isf(ε)/k`` with ``D* = 1/(1 + SNR)``: exact for k = n symbols sent uncoded with the linear receiver.

    >>> round(float(uncoded_excess_distortion(100, 1, 0.01)), 6)
    0.679034
    """
    symbols = count("k", k)
    return np.asarray(chdtri(symbols, error_level("error", error)) / symbols / (1 + power("snr", snr)))


def _normal_rate(n: ArrayLike, error: ArrayLike, capacity: Array, dispersion: Array) -> Array:
    # ndtri(ε) = −Q⁻¹(ε).
    return np.asarray(capacity + np.sqrt(dispersion / count("n", n)) * ndtri(error_level("error", error)))


def _log_term(n: ArrayLike) -> Array:
    return np.log2(n) / (2 * count("n", n))


def _log_over_root(p: Array) -> Array:
    """``−√p log2 p``."""
    return np.asarray(-2 * xlogy(np.sqrt(p), np.sqrt(p)) * BITS)
