"""Certificates for any pair of codec and jammer at k = n = 1: what no jammer exceeds, what no codec undercuts.

Derived for this project. Their distance to the payoff is what each player could still gain, its exploitability.
"""

import numpy as np
from numpy.typing import ArrayLike

from jscc_sim.theory.parameters import Array, power


def worst_payoff(jam_powers: ArrayLike, payoffs: ArrayLike, jam_power: float) -> float:
    """``min_{λ≥0} [λ PA + max_z (φ(z) − λ z²)]``: the most that a jammer of power PA gains from a fixed codec.

    ``payoffs (m,)`` are φ(z), the error given the jammer's sample z, and ``jam_powers (m,)`` the z², some of them no
    more than PA. By duality this is the upper concave envelope of φ in z², the payoff of a jammer that switches between
    two samples. It holds over the samples given: state the largest |z| searched.

    >>> worst_payoff([0, 1, 4], [0.0, 0.5, 1.0], 2.5)
    0.75
    """
    squares, harms = power("jam_powers", jam_powers), np.asarray(payoffs, dtype=float)
    within = squares <= power("jam_power", jam_power)
    if not within.any():
        raise ValueError(f"jam_powers must reach down to jam_power, got {squares.min()} at least for {jam_power}")
    low, high = squares[within], squares[~within]
    # Every chord from below PA to above it, read at PA.
    chords = harms[within][:, None] * (high - jam_power) + harms[~within] * (jam_power - low)[:, None]
    return float(max(harms[within].max(), np.max(chords / (high - low[:, None]), initial=-np.inf)))


def entropy_power_bound(
    signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike, entropy: ArrayLike
) -> Array:
    """``e^{2h(W)}/2πe/(PT + PA + N)``: no codec of any block length, k = n, errs less per unit of source variance.

    ``entropy`` is h(W) in nats per symbol of the disturbance ``W = Z + noise``, or a lower bound of it. In general the
    bound is ``J* exp(−2 KL(W‖Gaussian))``; the Gaussian law of power ``PA + N`` gives J*.

    >>> round(float(entropy_power_bound(1, 1, 0.1, 0.5 * np.log(2 * np.pi * np.e * 1.1))), 6)
    0.52381
    """
    total = power("signal_power", signal_power) + power("jam_power", jam_power) + power("noise_power", noise_power)
    return np.asarray(np.exp(2 * np.asarray(entropy, dtype=float) - 1) / (2 * np.pi) / total)
