"""Exact payoffs when the jammer knows something: the channel input through a tap, or the source itself.

A Gaussian source X of variance σ², ``E Y² ≤ PT``, ``E Z² ≤ PA``, noise power N, all per real symbol; mean-square error.
"""

import numpy as np
from numpy.typing import ArrayLike

from jscc_sim.theory.parameters import Array, fraction, power, ratio
from jscc_sim.theory.saddle import scalar_payoff


def tap_gain(
    signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike, tap_noise: ArrayLike = 0.0
) -> Array:
    """``b = min{1, (PA + N)/PT, √(PA/(PT + m))}``: how much of the tapped input ``Y + M`` the jammer subtracts.

    Its signal is ``Z = −b (Y + M) + V`` with ``V ~ N(0, PA − b² (PT + m))``, where ``M ~ N(0, m)`` and ``m`` is the
    ``tap_noise``: 0 for an exact tap, infinity for an oblivious jammer. Derived for this project. Without a signal to
    subtract, b = 1.

    >>> tap_gain(1, 0.25, 0.1, [0, 3])
    array([0.35, 0.25])
    """
    signal, jam, noise = _powers(signal_power, jam_power, noise_power)
    tapped = signal + ratio("tap_noise", tap_noise)
    with np.errstate(divide="ignore", invalid="ignore"):
        useful, affordable = (jam + noise) / signal, np.sqrt(jam / tapped)
    gain = np.minimum(1.0, np.fmin(useful, affordable))  # fmin: 0/0 sets no limit
    return np.where(signal > 0, gain, 1.0)


def tap_payoff(
    source_variance: ArrayLike,
    signal_power: ArrayLike,
    jam_power: ArrayLike,
    noise_power: ArrayLike,
    tap_noise: ArrayLike = 0.0,
) -> Array:
    """``σ² / (1 + (1−b)² PT/(PA + N − b² PT))`` with b of `tap_gain`; ``σ²`` if b = 1: the value against a tap.

    A shared sign does not help, since the tap sits after it. An infinite ``tap_noise`` gives `scalar_payoff`. Derived
    for this project, checked against the least, over linear receivers, of the greatest error.

    >>> tap_payoff(1, 1, 0.25, 0.1, [0, 3, float("inf")]).round(6)
    array([0.35    , 0.338235, 0.259259])
    """
    signal, jam, noise = _powers(signal_power, jam_power, noise_power)
    gain = tap_gain(signal, jam, noise, tap_noise)
    # At least N, but rounding may say otherwise.
    remaining = np.maximum(jam + noise - gain**2 * signal, 0.0)
    return np.asarray(power("source_variance", source_variance) * fraction(remaining, (1 - gain) ** 2 * signal, 1.0))


def deterministic_minimax(
    source_variance: ArrayLike, signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike
) -> Array:
    """The least error that a codec without a shared sign can guarantee against a jammer that sees the source.

    ``σ²`` if PA ≥ PT, else ``σ² N/(N + (√PT − √PA)²)`` if ``√(PA PT) ≤ PA + N``, else ``σ² (PA + N)/PT``: the exact
    tap of `tap_payoff`. It exceeds `deterministic_maximin`, so there is no saddle; the shared sign closes the gap at
    J*. Derived for this project; on the game without a shared sign see Başar, Wu, IEEE-IT 31(4), 1985.

    >>> deterministic_minimax(1, 1, [0.25, 0.25, 2], [0.1, 1, 1])
    array([0.35, 0.8 , 1.  ])
    """
    return tap_payoff(source_variance, signal_power, jam_power, noise_power)


def deterministic_maximin(
    source_variance: ArrayLike, signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike
) -> Array:
    """The error that a jammer who sees the source can enforce before the codec moves: J* of `scalar_payoff`.

    >>> round(float(deterministic_maximin(1, 1, 1, 0.1)), 6)
    0.52381
    """
    return scalar_payoff(source_variance, signal_power, jam_power, noise_power)


def exposed_payoff(signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike) -> Array:
    """``(|1 − g√PT| + g√PA)² + g² N``, ``g = √PT/(PT + PA + N)``: the saddle codec without its sign, per unit variance.

    The jammer sees the source and plays ``Z = −√PA X``, its best reply to this fixed codec. The error can exceed that
    of sending nothing.

    >>> round(float(exposed_payoff(1, 1, 0.1)), 6)
    1.022676
    """
    signal, jam, noise = _powers(signal_power, jam_power, noise_power)
    total = signal + jam + noise
    gain = np.sqrt(signal) / np.where(total > 0, total, 1.0)
    return np.asarray((np.abs(1 - gain * np.sqrt(signal)) + gain * np.sqrt(jam)) ** 2 + gain**2 * noise)


def _powers(signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike) -> tuple[Array, Array, Array]:
    return power("signal_power", signal_power), power("jam_power", jam_power), power("noise_power", noise_power)
