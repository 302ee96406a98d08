"""Gaussian limits of any code under shared randomness: capacity, and the least distortion (OPTA) of a Gaussian source.

The jammer's worst law is Gaussian, so ``SNR = PT/(PA + N)``. Rates are in bits. Powers are per real symbol, or the
totals of a complex symbol where a name says so: it is two real ones at half the powers, so the ratios stay.
"""

import numpy as np
from numpy.typing import ArrayLike

from jscc_sim.theory.parameters import Array, count, power, ratio
from jscc_sim.theory.saddle import water_level


def capacity_real(signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike) -> Array:
    """``½ log2(1 + PT/(PA + N))`` bits per real use.

    >>> round(float(capacity_real(1, 1, 0.1)), 6)
    0.466443
    """
    return np.asarray(0.5 * np.log2(np.e) * np.log1p(_snr(signal_power, jam_power, noise_power)))


def capacity_complex(signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike) -> Array:
    """``log2(1 + PT/(PA + N))`` bits per complex use of these total powers.

    >>> round(float(capacity_complex(1, 1, 0.1)), 6)
    0.932886
    """
    return 2 * capacity_real(signal_power, jam_power, noise_power)


def deterministic_capacity(signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike) -> Array:
    """`capacity_real` of codes without shared randomness under peak power constraints: zero once ``PA ≥ PT``.

    A jammer as strong as the transmitter can send another codeword. Source: Csiszár, Narayan, IEEE-IT 37(1), 1991.

    >>> deterministic_capacity([1, 10], 1, 1).round(6)
    array([0.      , 1.292481])
    """
    heard = power("signal_power", signal_power) > power("jam_power", jam_power)
    return np.where(heard, capacity_real(signal_power, jam_power, noise_power), 0.0)


def opta(k: ArrayLike, n: ArrayLike, signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike) -> Array:
    """``(1 + PT/(PA + N))^(−n/k)``: the least error of k real symbols over n real uses, or k complex over n complex.

    Per unit source variance, powers per use. Shannon's separation; reached without coding for k = n.

    >>> opta([1, 2], [2, 1], 1, 0.5, 0.5).round(6)
    array([0.25    , 0.707107])
    """
    uses = count("n", n) / count("k", k)
    return np.asarray(np.exp(-uses * np.log1p(_snr(signal_power, jam_power, noise_power))))


def opta_complex_uses(
    k: ArrayLike, n: ArrayLike, signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike
) -> Array:
    """``(1 + PT/(PA + N))^(−2n/k)``: the same for k real symbols over n complex uses of these total powers.

    >>> float(opta_complex_uses(2, 1, 1, 0.5, 0.5))
    0.5
    """
    return opta(k, 2 * np.asarray(n), signal_power, jam_power, noise_power)


def vector_capacity(noise_powers: ArrayLike, signal_power: float, jam_power: float) -> float:
    """``Σ ½ log2(1 + p_i/ν_i)`` bits per vector use: the jammer fills the noise, then the transmitter does.

    ``ν_i = max(n_i, θ)`` with ``Σ (θ − n_i)+ = PA``, then ``p_i = (L − ν_i)+`` with ``Σ p_i = PT``; sums of powers.

    >>> round(vector_capacity([0.1, 0.5, 2.0], 3.0, 1.0), 6)
    1.528183
    """
    filled = np.maximum(power("noise_powers", noise_powers), water_level(noise_powers, jam_power))
    with np.errstate(divide="ignore", invalid="ignore"):
        gains = np.fmax(water_level(filled, signal_power) / filled, 1.0)  # fmax: 0/0 where nothing is sent or added
    return float(0.5 * np.log2(gains).sum())


def vector_opta(spectrum: ArrayLike, noise_powers: ArrayLike, signal_power: float, jam_power: float) -> float:
    """D(R) of a Gaussian vector, `gaussian_distortion`, at the rate of `vector_capacity`.

    The least total error of a Gaussian source with covariance eigenvalues ``λ_i``, one vector per vector use.

    >>> round(vector_opta([4, 1, 0.25], [0.1, 0.1, 0.1], 3.0, 0.6), 6)
    0.692308
    """
    return float(gaussian_distortion(spectrum, vector_capacity(noise_powers, signal_power, jam_power)))


def gaussian_distortion(variances: ArrayLike, bits: ArrayLike) -> Array:
    """``Σ min(λ_i, θ)`` with ``Σ ½ log2(λ_i/θ)+ = bits``: D(R) of a Gaussian vector, by reverse water-filling.

    ``variances (k,)`` are the covariance's eigenvalues; ``bits (...)`` per vector, infinity allowed, give ``(...)``.
    ValueError if any is negative or NaN. At n times the channel's capacity it is the least distortion of a Gaussian
    vector, where blocks of many are coded at once. Any other source of this covariance has a D(R) no larger: for images
    an upper bound on the D(R) of theirs, which a codec may go below. Sources: Shannon, 1959; Cover and Thomas,
    *Elements of Information Theory*, Theorem 10.3.3, and for other sources Problem 10.8.

    >>> gaussian_distortion([4, 1, 0.25], [0, 1, 3, np.inf])
    array([5.25, 2.25, 0.75, 0.  ])
    """
    spectrum = -np.sort(-power("variances", variances).ravel())
    logs = np.log(spectrum[spectrum > 0])
    if logs.size == 0:
        return np.zeros_like(ratio("bits", bits))
    nats = 2 * np.log(2) * ratio("bits", bits)[..., None]
    # The level if the first m components alone are described; it grows with m until the next one lies below it.
    level = ((np.cumsum(logs) - nats) / np.arange(1, logs.size + 1)).max(-1, keepdims=True)
    return np.asarray(np.minimum(spectrum, np.exp(level)).sum(-1))


def _snr(signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike) -> Array:
    """``PT/(PA + N)``; infinite without disturbance, 0 without a signal."""
    signal = power("signal_power", signal_power)
    disturbance = power("jam_power", jam_power) + power("noise_power", noise_power)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(signal > 0, signal / disturbance, 0.0)
