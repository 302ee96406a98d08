"""The worst noise for bits: pulses, not Gaussian noise. BPSK of power P against a jammer of power PA and noise N.

A jammer with a bit-error payoff plays the upper concave envelope of the error probability in its power: on-off pulses
while it is weak, steady once it is strong. Both envelopes here are convex first and concave after, so that one tangent
from zero power finds them. All powers per real symbol; the receiver is a hard decision unless said.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import ndtr

from jscc_sim.theory.parameters import Array, power, probability


def pulsed_error(signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike, duty: ArrayLike) -> Array:
    """``ρ Q(√(P/(N + PA/ρ))) + (1−ρ) Q(√(P/N))``: BPSK against Gaussian pulses of duty ρ; duty 0 is its limit.

    >>> round(float(pulsed_error(2, 1, 0, 1)), 6)
    0.07865
    """
    share, signal, jam, noise = probability("duty", duty), *_powers(signal_power, jam_power, noise_power)
    struck = _gauss_error(share * signal, share * noise + jam)
    return np.asarray(share * struck + (1 - share) * _gauss_error(signal, noise))


def worst_duty(signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike = 0.0) -> Array:
    """The duty ρ that maximises `pulsed_error`: ``min(1, g0/γ)`` without noise, where ``γ = P/2PA``, ``g0 = 0.70877``.

    >>> round(float(worst_duty(4, 1)), 6)
    0.354383
    """
    signal, jam, noise = _powers(signal_power, jam_power, noise_power)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = jam / (signal * _vectorised(_worst_pulse)(noise / signal))
    return np.where(signal > 0, np.fmin(share, 1.0), 1.0)


def worst_pulsed_error(signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike = 0.0) -> Array:
    """`pulsed_error` at its `worst_duty`: without noise ``K/γ`` with ``K = 0.0828583`` for ``γ = P/2PA ≥ 0.70877``.

    Weaker signals meet a steady jammer. Gaussian pulses are not the worst law: see `worst_hard_error`.

    >>> round(float(worst_pulsed_error(4, 1)), 6)
    0.041429
    """
    duty = worst_duty(signal_power, jam_power, noise_power)
    return pulsed_error(signal_power, jam_power, noise_power, duty)


def two_point_error(signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike) -> Array:
    """``½ Q((√P − √PA)/√N) + ½ Q((√P + √PA)/√N)``: BPSK against a steady jammer ``±√PA`` that does not see it.

    >>> round(float(two_point_error(1, 1, 0.1)), 6)
    0.25
    """
    signal, jam, noise = _powers(signal_power, jam_power, noise_power)
    gaps = np.sqrt(signal) - np.sqrt(jam), np.sqrt(signal) + np.sqrt(jam)
    return np.asarray(sum(_gauss_error(np.sign(gap) * gap**2, noise) for gap in gaps) / 2)


def worst_hard_error(signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike = 0.0) -> Array:
    """The most errors any jammer of power PA that does not see the signal causes to hard-decision BPSK.

    The upper concave envelope, in z², of `two_point_error` at ``E z² = PA``. Without noise it is ``PA/2P`` up to
    ``PA = P``, approached by pulses just above ``±√P``, then ½. Derived for this project.

    >>> worst_hard_error(1, [0.5, 2], 0).round(6), worst_hard_error(1, 0.5, [0.1, 1]).round(6)
    (array([0.25, 0.5 ]), array([0.129598, 0.214351]))
    """
    signal, jam, noise = np.broadcast_arrays(*_powers(signal_power, jam_power, noise_power))
    with np.errstate(divide="ignore", invalid="ignore"):
        pulse = signal * _vectorised(_worst_strike)(noise / signal)
    share = np.where(pulse > jam, jam / np.where(pulse > 0, pulse, 1.0), 1.0)
    struck = two_point_error(signal, np.maximum(pulse, jam), noise)
    # Without noise the tangent point is an edge, and a jammer just above it wins outright.
    struck = np.where((noise == 0) & (np.maximum(pulse, jam) >= signal), 0.5, struck)
    return np.asarray(share * struck + (1 - share) * _gauss_error(signal, noise))


def worst_known_noise_error(noise_power: ArrayLike, signal_power: ArrayLike = 1.0) -> Array:
    """``s²/4`` for noise of power s² ≤ 1 and ``X = ±1``: the most errors when the receiver knows the law of the noise.

    Maximum likelihood for equiprobable ``±√P``. The worst law sits on 0 and ``±√P``; beyond ``s² = P`` on m and m + 1
    points of spacing ``2√P``, whose errors ``(m−1)/2m`` at powers ``P (m²−1)/3`` are joined by straight lines. Source:
    Shamai, Verdú, IEEE-IT 38(5), 1992; the part beyond P derived for this project and checked by linear programming.

    >>> worst_known_noise_error([0.25, 0.5, 8 / 3]).round(6)
    array([0.0625  , 0.125   , 0.333333])
    """
    signal, noise = power("signal_power", signal_power), power("noise_power", noise_power)
    with np.errstate(divide="ignore", invalid="ignore"):
        strength = np.where(signal > 0, noise / signal, np.inf)
        points = np.floor(np.sqrt(3 * strength + 1))
        # From m points to m + 1 the power grows by (2m+1)/3, the error by 1/(2m(m+1)).
        step = (strength - (points**2 - 1) / 3) * 3 / (2 * points + 1)
        error = 0.5 - 0.5 / points + step / (2 * points * (points + 1))
    return np.where(np.isfinite(strength), error, 0.5)


def _powers(signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike) -> tuple[Array, Array, Array]:
    return power("signal_power", signal_power), power("jam_power", jam_power), power("noise_power", noise_power)


def _gauss_error(signed_signal: Array, noise: Array) -> Array:
    """``Q(±√(|P|/N))``, ``P < 0`` standing for a symbol already beyond the threshold; ½ where there is no signal."""
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.where(signed_signal == 0, 0.0, np.sqrt(np.abs(signed_signal) / noise))
    return np.asarray(ndtr(-np.sign(signed_signal) * size))


def _vectorised(search: Callable[[float], float]) -> Callable[[Array], Array]:
    """A search over whole arrays; where the argument is not a number (no signal), so is the answer."""
    return np.vectorize(lambda noise: search(noise) if np.isfinite(noise) else 0.0, otypes=[float])


def _worst_pulse(noise: float) -> float:
    """The power w of the worst Gaussian pulse at P = 1; 0 where `pulsed_error` is concave from the start.

    The tangent of ``Q(1/√(N+w))`` from w = 0; convex while ``N + w < 1/3``.
    """

    def short(pulse: float) -> float:
        total = noise + pulse
        slope = np.exp(-0.5 / total) / np.sqrt(8 * np.pi) * total**-1.5
        start = ndtr(-(noise**-0.5)) if noise else 0.0
        return float(ndtr(-(total**-0.5)) - start - pulse * slope)

    return _tangent(short, 1 / 3 - noise, 64.0)


def _worst_strike(noise: float) -> float:
    """The power z² of the worst fixed pulse at P = 1; 0 where `two_point_error` is concave in z² from the start."""
    if noise < 1e-24:  # an edge at P, passed by a margin of 40 standard deviations
        return (1 + 40 * noise**0.5) ** 2
    signal = noise**-0.5

    def short(strike: float) -> float:
        near, far = signal - strike, signal + strike
        gained = (ndtr(-near) + ndtr(-far)) / 2 - ndtr(-signal)
        slope = (np.exp(-(near**2) / 2) - np.exp(-(far**2) / 2)) / np.sqrt(2 * np.pi) / (4 * strike)
        return float(gained - strike**2 * slope)

    # d²/d(z²)² has the sign of s·coth(s x) − 1/x − x: one change, below s, if s² > 3.
    bend = _tangent(lambda x: x + 1 / x - signal / np.tanh(signal * x), 1e-3, signal + 1) if signal**2 > 3 else 0.0
    return (_tangent(short, bend, signal + 40) / signal) ** 2


def _tangent(rises: Callable[[float], float], low: float, high: float) -> float:
    """The root of a function that goes from below 0 at ``low`` to above 0 at ``high``; 0 if it does not."""
    if low <= 0 or rises(low) >= 0 or rises(high) <= 0:
        return 0.0
    return float(brentq(rises, low, high, xtol=1e-14, rtol=1e-15))
