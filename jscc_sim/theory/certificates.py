"""Certificates for a pair of codec and jammer: what no jammer exceeds, what no codec undercuts.

Derived for this project. Their distance to the payoff is what each player could still gain, its exploitability. A
corrected line is a receiver ``û = g y + c(y)`` with ``|c| ≤ B``; its error given the jammer's sample is φ(z), and its
line alone errs by ``g² z² + line_error``, because the rest has mean zero: encoder and correction are odd.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import erfc

from jscc_sim.theory.parameters import Array, power

# E|v² − 1| and E|v³ − v| of a standard normal v.
CURVED, CURVED_AT = 4 * math.exp(-0.5) / math.sqrt(2 * math.pi), (8 * math.exp(-0.5) - 2) / math.sqrt(2 * math.pi)


class Chord(NamedTuple):
    """Sample ``second`` with probability ``share``, otherwise ``first``; their ``value``, and the ``price`` of power.

    The price λ is the slope of the envelope at the budget, and at a corner the slope beyond it.
    """

    first: int
    second: int
    share: float
    value: float
    price: float


def best_chord(jam_powers: ArrayLike, payoffs: ArrayLike, jam_power: float) -> Chord:
    """The upper concave envelope of φ in z² at PA, by its chord: what a jammer gains that switches between two samples.

    ``payoffs (m,)`` are φ(z), the payoff given the jammer's sample z, and ``jam_powers (m,)`` the z², some of them no
    more than PA. The first sample is of power PA at most; a sample that does as much alone is sent alone, as both.
    ValueError if payoffs are not finite, or so far apart that their difference is not.

    >>> best_chord([0, 1, 4], [0.0, 0.5, 1.0], 2.5)
    Chord(first=1, second=2, share=0.5, value=0.75, price=0.16666666666666666)
    >>> best_chord([0, 1, 4], [0.0, 0.5, 1.0], 1)[:4]
    (1, 1, 0.0, 0.5)
    """
    squares, harms, budget = power("jam_powers", jam_powers), np.asarray(payoffs, dtype=float), float(jam_power)
    if not math.isfinite(float(harms.max()) - float(harms.min())):
        raise ValueError(f"payoffs must be finite, and so their differences, got {harms.min()} to {harms.max()}")
    within = np.flatnonzero(squares <= power("jam_power", budget))
    beyond = np.flatnonzero(squares > budget)
    if not len(within):
        raise ValueError(f"jam_powers must reach down to jam_power, got {squares.min()} at least for {jam_power}")
    alone = int(within[harms[within].argmax()])
    steady = Chord(alone, alone, 0.0, float(harms[alone]), 0.0)
    if not len(beyond):
        return steady
    # Every chord from below PA to above it, read at PA: by shares, because slopes may overflow.
    rises, runs = harms[beyond] - harms[within][:, None], squares[beyond] - squares[within][:, None]
    shares = (budget - squares[within])[:, None] / runs
    values = harms[within][:, None] + shares * rises
    best = np.unravel_index(int(values.argmax()), values.shape)
    if values[best] <= steady.value:
        return steady._replace(
            price=max(0.0, _steepest(harms[beyond] - steady.value, squares[beyond] - squares[alone]))
        )
    first, second = int(within[best[0]]), int(beyond[best[1]])
    return Chord(first, second, float(shares[best]), float(values[best]), _steepest(rises[best], runs[best]))


def _steepest(rises: Array, runs: Array) -> float:
    """The largest slope, or the largest number if that is less: runs may be denormal."""
    with np.errstate(over="ignore"):
        return min(float(np.max(rises / runs)), float(np.finfo(float).max))


def worst_payoff(jam_powers: ArrayLike, payoffs: ArrayLike, jam_power: float) -> float:
    """``min_{λ≥0} [λ PA + max_z (φ(z) − λ z²)]``: the most that a jammer of power PA gains from a fixed codec.

    By duality this is the value of `best_chord`. It holds over the samples given: state the largest |z| searched.

    >>> worst_payoff([0, 1, 4], [0.0, 0.5, 1.0], 2.5)
    0.75
    """
    return best_chord(jam_powers, payoffs, jam_power).value


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


def curvature_bound(z: ArrayLike, line: float, bound: float, line_error: float, noise_power: float) -> Array:
    """A bound of ``|φ''(z) − 2 g²|`` for a corrected line in Gaussian noise of power N.

    Before the noise the correction changes the error by at most ``2B √(line_error + g² s²) + B²`` (Cauchy-Schwarz), and
    ``φ'' − 2 g²`` is that change folded with the second derivative of the noise's density. Between two samples a
    distance d apart φ exceeds the larger of its values by at most ``d²/8`` times the largest ``−φ''``.

    >>> float(curvature_bound(3.0, 0.5, 0.0, 0.3, 0.1))
    0.0
    """
    far = np.abs(np.asarray(z, dtype=float))
    level = 2 * math.sqrt(line_error) + bound + 2 * line * far
    return np.asarray(bound * (level * CURVED / noise_power + 2 * line * CURVED_AT / math.sqrt(noise_power)))


def tail_excess(z: float, line: float, bound: float, line_error: float, window: float, rare: float) -> float:
    """A bound of ``φ(z) − g² z² − line_error``: what a correction that vanishes far out may still cost there.

    The correction is at most B, and at most ``B·window`` save with probability ``rare``, so that by Minkowski
    ``√φ ≤ √(g² z² + line_error) + B √(window² + rare)``.

    >>> tail_excess(40.0, 0.5, 2.0, 0.3, 1e-6, 0.0) < 1e-4
    True
    """
    missed = bound * math.sqrt(window**2 + rare)
    return missed * (2 * math.sqrt(line**2 * z**2 + line_error) + missed)


def normal_tail(q: float) -> float:
    """``P(|v| > q)`` of a standard normal v.

    >>> round(normal_tail(1.96), 4)
    0.05
    """
    return float(erfc(q / math.sqrt(2)))


def corrected_bound(line_error: ArrayLike, correction: ArrayLike) -> Array:
    """``(√line_error + correction)²``: the error of a receiver whose line errs so much and is corrected so far (rms).

    >>> round(float(corrected_bound(0.25, 0.1)), 3)
    0.36
    """
    return np.asarray((np.sqrt(power("line_error", line_error)) + np.asarray(correction, dtype=float)) ** 2)
