"""Exact payoffs when the jammer departs from its saddle law: other laws, an offset, an on-off duty; and what bounds it.

A Gaussian source of unit variance, signal power PT, jammer power PA, noise power N per real symbol. The transmitter is
the linear one of the saddle with its shared sign, the receiver is the exact MMSE estimator for the jammer's law, so
no value exceeds J* of `saddle.scalar_payoff`: the Gaussian law is the jammer's best.
"""

import numpy as np
from numpy.typing import ArrayLike

from jscc_sim.theory import smoothed
from jscc_sim.theory.parameters import Array, fraction, power, probability
from jscc_sim.theory.saddle import scalar_payoff


def two_point_payoff(signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike) -> Array:
    """``E Var(X | √PT X + Z + noise)`` for a jammer ``Z = ±√PA``, by quadrature.

    A jammer normalised per sample at k = 1 has no other law.

    >>> round(float(two_point_payoff(1, 1, 0.1)), 6)
    0.487217
    """
    return _mmse_payoff(smoothed.two_point, signal_power, jam_power, noise_power)


def uniform_payoff(signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike) -> Array:
    """The same as `two_point_payoff` for a jammer uniform on ``±√(3 PA)``.

    >>> round(float(uniform_payoff(1, 1, 0.1)), 6)
    0.514607
    """
    return _mmse_payoff(smoothed.uniform, signal_power, jam_power, noise_power)


def laplace_payoff(signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike) -> Array:
    """The same as `two_point_payoff` for a jammer of Laplace law and variance PA.

    >>> round(float(laplace_payoff(1, 1, 0.1)), 6)
    0.506794
    """
    return _mmse_payoff(smoothed.laplace, signal_power, jam_power, noise_power)


def two_point_bound(signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike) -> Array:
    """``Ne(W)/(PT + PA + N)``, ``Ne = e^{2h(W)}/2πe``: a lower bound against the noise ``W = ±√PA + N(0, N)``.

    No codec of any block length with k = n does better. It equals ``J* exp(−2 KL(W‖Gaussian))`` by the capacity of
    additive noise under the entropy-power inequality (Shannon) and the rate-distortion function of the source.

    >>> round(float(two_point_bound(1, 1, 0.1)), 6)
    0.189622
    """
    return _entropy_bound(smoothed.two_point, 0.0, signal_power, jam_power, noise_power)


def uniform_bound(signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike) -> Array:
    """The same lower bound as `two_point_bound` for a jammer uniform on ``±√(3 PA)``.

    >>> round(float(uniform_bound(1, 1, 0.1)), 6)
    0.465284
    """
    return _entropy_bound(smoothed.uniform, 6 / (np.pi * np.e), signal_power, jam_power, noise_power)


def laplace_bound(signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike) -> Array:
    """The same lower bound as `two_point_bound` for a jammer of Laplace law and variance PA.

    >>> round(float(laplace_bound(1, 1, 0.1)), 6)
    0.476693
    """
    return _entropy_bound(smoothed.laplace, np.e / np.pi, signal_power, jam_power, noise_power)


def offset_payoff(
    signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike, offset_power: ArrayLike
) -> Array:
    """``J*`` at jammer power ``PA − m²``: of PA, the jammer spends ``offset_power`` m² on a constant the codec knows.

    >>> round(float(offset_payoff(1, 1, 0.1, 0.25)), 6)
    0.459459
    """
    left = power("jam_power", jam_power) - power("offset_power", offset_power)
    if np.any(left < 0):
        raise ValueError(f"offset_power must not exceed jam_power, got {offset_power!r} of {jam_power!r}")
    return scalar_payoff(1.0, signal_power, left, noise_power)


def onoff_payoff(signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike, duty: ArrayLike) -> Array:
    """``ρ J(PA/ρ) + (1−ρ) J(0)``: Gaussian pulses of duty ρ whose presence the receiver knows; duty 0 is its limit.

    ``J(A)`` is the scalar payoff at jammer power A. Below J* for ρ < 1, because J is concave in A.

    >>> round(float(onoff_payoff(1, 1, 0.1, 0.5)), 6)
    0.384164
    """
    signal, jam, noise = _powers(signal_power, jam_power, noise_power)
    share = probability("duty", duty)
    pulsed = fraction(jam + share * noise, share * signal, 1.0)  # J(PA/ρ) without the division by ρ
    return np.asarray(share * pulsed + (1 - share) * fraction(noise, signal, 1.0))


def _mmse_payoff(law: smoothed.Law, signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike) -> Array:
    """``N/(PT+N) + PT/(PT+N)² E Var(Z|U)``: X and the noise are Gaussian, so only Z needs an integral."""
    signal, jam, noise = _powers(signal_power, jam_power, noise_power)
    gauss = signal + noise
    spread = np.where(gauss > 0, gauss, 1.0)
    left = np.vectorize(lambda a: smoothed.unknown(law, a) if a else 0.0, otypes=[float])(np.sqrt(jam / spread))
    # With PT = 0 both the signal and the error of Z are out of the picture.
    return np.asarray(fraction(noise, signal, 1.0) + signal / spread * left)


def _entropy_bound(
    law: smoothed.Law, noiseless: float, signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike
) -> Array:
    """``noiseless``: the entropy power of the law itself, at unit variance, for N = 0."""
    signal, jam, noise = np.broadcast_arrays(*_powers(signal_power, jam_power, noise_power))
    amplitude = np.sqrt(jam / np.where(noise > 0, noise, 1.0)) * (noise > 0)
    excess = np.vectorize(lambda a: smoothed.entropy(law, a) if a else _GAUSS_ENTROPY, otypes=[float])(amplitude)
    entropy_power = np.where(noise > 0, noise * np.exp(2 * (excess - _GAUSS_ENTROPY)), noiseless * jam)
    total = signal + jam + noise
    return np.where(total > 0, entropy_power / np.where(total > 0, total, 1.0), 1.0)


_GAUSS_ENTROPY = 0.5 * np.log(2 * np.pi * np.e)


def _powers(signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike) -> tuple[Array, Array, Array]:
    return power("signal_power", signal_power), power("jam_power", jam_power), power("noise_power", noise_power)
