"""Rates of binary codes against an adversary who may spoil a fraction p of each word: exact, or between two bounds.

In bits per use. A causal adversary sees the past and present of the word sent, an omniscient one all of it; with shared
randomness either is no worse than nature, `binary_limits.bsc_capacity` and `binary_limits.bec_capacity`.
"""

from functools import cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from jscc_sim.theory.binary_limits import binary_entropy, bsc_capacity
from jscc_sim.theory.parameters import Array, probability

ZERO_RATE_FLIPS = 0.25  # from this fraction of flips on, a causal or omniscient adversary leaves no rate
ZERO_RATE_ERASURES = 0.5  # and from this fraction of erasures on


def causal_flip_capacity(p: ArrayLike) -> Array:
    """``1 − H(p)`` for ``p < q0``, ``(1 − 4p) K0`` up to ¼, then 0: an adversary that flips pn bits causally.

    ``K0 = min_q (1 − H(q))/(1 − 4q)``, reached at q0. Source: Dey, Jaggi, Langberg, Sarwate, IEEE-IT 59(6), 2013, and
    Chen, Jaggi, Langberg, arXiv 1412.6376.

    >>> causal_flip_capacity([0.05, 0.11, 0.25]).round(6)
    array([0.713603, 0.492322, 0.      ])
    """
    p = probability("p", p)
    corner, slope = causal_corner()
    return np.where(p < corner, bsc_capacity(p), np.maximum(1 - 4 * p, 0.0) * slope)


@cache
def causal_corner() -> tuple[float, float]:
    """``(q0, K0)`` of `causal_flip_capacity`.

    >>> [round(value, 10) for value in causal_corner()]
    [0.0803566224, 0.8791464216]
    """

    def derivative(q: float) -> float:
        return float(4 * bsc_capacity(q) - np.log2((1 - q) / q) * (1 - 4 * q))

    corner = float(brentq(derivative, 0.01, 0.2, xtol=1e-16, rtol=1e-15))
    return corner, float(bsc_capacity(corner)) / (1 - 4 * corner)


def causal_erasure_capacity(p: ArrayLike) -> Array:
    """``1 − 2p``, 0 from ½ on: an adversary that erases pn symbols causally. Source: Bassily, Smith, arXiv 1409.3893.

    >>> causal_erasure_capacity([0.1, 0.6])
    array([0.8, 0. ])
    """
    return np.maximum(1 - 2 * probability("p", p), 0.0)


def gilbert_varshamov(distance: ArrayLike) -> Array:
    """``1 − H(δ)`` for ``δ < ½``, else 0: a rate at which codes of relative distance δ exist (a lower bound).

    >>> gilbert_varshamov([0.1, 0.5]).round(6)
    array([0.531004, 0.      ])
    """
    return bsc_capacity(np.minimum(probability("distance", distance), 0.5))


def mrrw(distance: ArrayLike) -> Array:
    """``H(½ − √(δ(1−δ)))`` for ``δ < ½``, else 0: the first linear-programming upper bound on that rate.

    Source: McEliece, Rodemich, Rumsey, Welch, IEEE-IT 23(2), 1977.

    >>> mrrw([0.1, 0.5]).round(6)
    array([0.721928, 0.      ])
    """
    delta = np.minimum(probability("distance", distance), 0.5)
    # ½ − √(δ(1−δ)) without cancelling.
    return binary_entropy((0.5 - delta) ** 2 / (0.5 + np.sqrt(delta * (1 - delta))))


def omniscient_flip_lower(p: ArrayLike) -> Array:
    """``1 − H(2p)``, 0 from ¼ on: a rate that deterministic codes reach against pn flips chosen knowing the word.

    >>> round(float(omniscient_flip_lower(0.11)), 6)
    0.239832
    """
    return gilbert_varshamov(np.minimum(2 * probability("p", p), 1.0))


def omniscient_flip_upper(p: ArrayLike) -> Array:
    """``min{1 − H(p), H(½ − √(2p(1−2p)))}``, 0 from ¼ on: no code does better against such flips.

    >>> omniscient_flip_upper([0.01, 0.11]).round(6)
    array([0.919207, 0.422135])
    """
    p = probability("p", p)
    return np.minimum(bsc_capacity(p), mrrw(np.minimum(2 * p, 1.0)))


def omniscient_erasure_lower(p: ArrayLike) -> Array:
    """``1 − H(p)``, 0 from ½ on: a rate that codes reach against pn erasures chosen knowing the word.

    >>> round(float(omniscient_erasure_lower(0.1)), 6)
    0.531004
    """
    return gilbert_varshamov(probability("p", p))


def omniscient_erasure_upper(p: ArrayLike) -> Array:
    """``H(½ − √(p(1−p)))``, 0 from ½ on: no code does better against such erasures.

    >>> round(float(omniscient_erasure_upper(0.1)), 6)
    0.721928
    """
    return mrrw(probability("p", p))
