"""Exact payoffs of the jamming game: a Gaussian source, power-limited transmitter and jammer, mean-square error."""

import numpy as np
from numpy.typing import ArrayLike

from jscc_sim.theory.parameters import Array, fraction, power


def scalar_payoff(
    source_variance: ArrayLike, signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike
) -> Array:
    """``J* = σ² (PA + N) / (PT + PA + N)``, the saddle value of the scalar Gaussian game, all powers per real symbol.

    Against the saddle codec (linear), every jammer law of power ``PA`` that does not know the signal gives exactly J*;
    against the Gaussian jammer, no codec of any block length does better. Source: Başar, IEEE-IT 29(1), 1983.

    >>> round(float(scalar_payoff(1, 1, 1, 0.1)), 6)
    0.52381
    """
    disturbance = power("jam_power", jam_power) + power("noise_power", noise_power)
    left = fraction(disturbance, power("signal_power", signal_power), empty=1.0)
    return np.asarray(power("source_variance", source_variance) * left)


def complex_payoff(
    source_variance: ArrayLike, signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike
) -> Array:
    """The saddle value of one complex symbol, whose total powers are given: two real games at half of each.

    The payoff is the total error ``E|X − X̂|²``, so the formula is that of `scalar_payoff`.

    >>> round(float(complex_payoff(1, 1, 1, 0.1)), 6)
    0.52381
    """
    halves = [np.asarray(total, dtype=float) / 2 for total in (source_variance, signal_power, jam_power, noise_power)]
    return 2 * scalar_payoff(halves[0], halves[1], halves[2], halves[3])


def water_level(noise_powers: ArrayLike, jam_power: float) -> float:
    """``θ`` with ``Σ (θ − n_i)+ = jam_power``: the level to which a jammer fills the noise.

    >>> water_level([0.1, 0.5, 2.0], 1.0)
    0.8
    """
    floors = np.sort(power("noise_powers", noise_powers))
    power("jam_power", jam_power)
    levels = (jam_power + np.cumsum(floors)) / np.arange(1, floors.size + 1)
    return float(levels[np.flatnonzero(levels >= floors)[-1]])


def transmit_powers(spectrum: ArrayLike, noise_powers: ArrayLike, signal_power: float) -> Array:
    """``p_i = (√(λ_i ν_i/μ) − ν_i)+`` with ``Σ p_i = signal_power``: the best linear transmitter's powers.

    Component i of the source, of variance ``λ_i``, is sent through the subchannel of noise power ``ν_i > 0``.

    >>> transmit_powers([4, 1, 0.25], [0.3, 0.3, 0.3], 3.0).round(3)
    array([1.929, 0.814, 0.257])
    """
    variances, noise = np.broadcast_arrays(power("spectrum", spectrum), power("noise_powers", noise_powers))
    power("signal_power", signal_power)
    order = np.argsort(-variances / noise, kind="stable")
    spread = np.sqrt(variances * noise)[order]
    # With the first m components active, 1/√μ = (PT + Σ ν)/Σ √(λν); the last m whose weakest power is positive is it.
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = (signal_power + np.cumsum(noise[order])) / np.cumsum(spread)
    active = np.flatnonzero(slopes * spread > noise[order])
    if active.size == 0:
        raise ValueError("a source without variance has nothing to send")
    powers = np.zeros(variances.shape)
    powers[order] = np.maximum(slopes[active[-1]] * spread - noise[order], 0)
    return powers


def coloured_payoff(spectrum: ArrayLike, noise_powers: ArrayLike, signal_power: float, jam_power: float) -> float:
    """``Σ λ_i ν_i/(ν_i + p_i)``: the saddle value for linear codecs of a source with covariance eigenvalues ``λ_i``.

    Powers are sums over the subchannels. The jammer water-fills the noise, ``ν_i = max(n_i, θ)``; the strongest
    component meets the quietest subchannel. A linear codec's error depends on second moments alone, so this is exact
    for any source of that spectrum, real images included. Derived for this project; the n_i that stay above θ and the
    flat group below it need random signs and a random permutation when the jammer knows the codec.

    >>> round(coloured_payoff([1, 1, 1], [0.1, 0.5, 2.0], 3.0, 1.0), 6)
    1.554492
    """
    variances = -np.sort(-np.asarray(spectrum, dtype=float))
    filled = np.maximum(np.sort(np.asarray(noise_powers, dtype=float)), water_level(noise_powers, jam_power))
    return float(np.sum(variances * filled / (filled + transmit_powers(variances, filled, signal_power))))
