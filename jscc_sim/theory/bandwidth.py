"""Exact payoffs of linear codecs that send k white Gaussian symbols over n uses against a white jammer.

Unit source variance, mean-square error per source symbol, powers per channel use. Linear codecs reach the OPTA of
`limits.opta` for k = n only.
"""

import numpy as np
from numpy.typing import ArrayLike

from jscc_sim.theory.parameters import Array, count, fraction, power


def shared_subspace_payoff(
    k: ArrayLike, n: ArrayLike, signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike
) -> Array:
    """The saddle value of linear codecs whose subspace is random and known to transmitter and receiver only.

    With ``W = PA + N``: ``1/(1 + (n/k) PT/W)`` for n ≥ k; for n < k, where ``k − n`` symbols are not sent,
    ``(n W/(W + PT) + k − n)/k``.

    >>> shared_subspace_payoff([1, 2], [2, 1], 1, 0.5, 0.5).round(6)
    array([0.333333, 0.75    ])
    """
    disturbance = power("jam_power", jam_power) + power("noise_power", noise_power)
    return _linear_payoff(count("k", k), count("n", n), power("signal_power", signal_power), disturbance)


def known_subspace_payoff(
    k: ArrayLike, n: ArrayLike, signal_power: ArrayLike, jam_power: ArrayLike, noise_power: ArrayLike
) -> Array:
    """The value when the jammer knows the subspace of a linear codec, and for n > k puts all its power there.

    The k dimensions in use then see ``W = N + (n/k) PA``; for n ≤ k the codec fills the space and nothing changes
    against `shared_subspace_payoff`. The signs remain shared secrets.

    >>> round(float(known_subspace_payoff(1, 2, 1, 0.5, 0.5)), 6)
    0.428571
    """
    symbols, uses = count("k", k), count("n", n)
    focused = np.maximum(uses / symbols, 1.0) * power("jam_power", jam_power)
    disturbance = focused + power("noise_power", noise_power)
    return _linear_payoff(symbols, uses, power("signal_power", signal_power), disturbance)


def _linear_payoff(symbols: Array, uses: Array, signal: Array, disturbance: Array) -> Array:
    sent = np.minimum(uses / symbols, 1.0)
    gathered = np.maximum(uses / symbols, 1.0) * signal
    return sent * fraction(disturbance, gathered, 1.0) + (1 - sent)
