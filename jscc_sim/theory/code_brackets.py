"""Exact brackets of the best code of n bits over a BSC or BEC: what surely exists, and what surely does not.

Rates are log2 of the number M of codewords, over all n uses; ε is the word error probability, averaged over codewords.
Source: Polyanskiy, Poor, Verdú, IEEE-IT 56(5), 2010.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import gammaln, logsumexp, xlog1py, xlogy

from jscc_sim.theory.parameters import Array, count, error_level, power, probability

TWO = np.log(2)


def bec_achievable_error(n: ArrayLike, erase: ArrayLike, bits: ArrayLike) -> Array:
    """``E 2^{−(n − T − log2((M−1)/2))+}``, T erasures: a code of ``M = 2^bits`` words with at most this error exists.

    The dependence-testing bound (Corollary 42).

    >>> round(float(bec_achievable_error(100, 0.5, 33)), 6)
    0.000983
    """
    return _over_arrays(_bec_dependence_testing, n, erase, power("bits", bits))


def bec_converse_error(n: ArrayLike, erase: ArrayLike, bits: ArrayLike) -> Array:
    """``E (1 − 2^{n−T}/M)+``, T erasures: every code of ``M = 2^bits`` words errs at least so often (Theorem 38).

    >>> round(float(bec_converse_error(100, 0.5, 36)), 6)
    0.001174
    """
    return _over_arrays(_bec_converse, n, erase, power("bits", bits))


def bec_achievable_bits(n: ArrayLike, erase: ArrayLike, error: ArrayLike) -> Array:
    """The most whole bits k for which `bec_achievable_error` does not exceed ``error``.

    >>> bec_achievable_bits([100, 500], 0.5, 1e-3)
    array([ 33., 214.])
    """
    return _over_arrays(_most_bits(_bec_dependence_testing), n, erase, error_level("error", error))


def bec_converse_bits(n: ArrayLike, erase: ArrayLike, error: ArrayLike) -> Array:
    """The most whole bits k for which `bec_converse_error` does not exceed ``error``.

    >>> bec_converse_bits([100, 500], 0.5, 1e-3)
    array([ 35., 216.])
    """
    return _over_arrays(_most_bits(_bec_converse), n, erase, error_level("error", error))


def bsc_achievable_error(n: ArrayLike, flip: ArrayLike, bits: ArrayLike) -> Array:
    """``E min{1, M 2^{−n} Σ_{s≤T} C(n,s)}``, T flips: the random-coding union bound (Theorem 33, with M for M − 1).

    A code of ``M = 2^bits`` words errs no more. For ``flip > ½`` the receiver turns every symbol over first.

    >>> round(float(bsc_achievable_error(100, 0.11, 25)), 6)
    0.000836
    """
    return _over_arrays(_bsc_union, n, flip, power("bits", bits))


def bsc_achievable_bits(n: ArrayLike, flip: ArrayLike, error: ArrayLike) -> Array:
    """log2 M at which `bsc_achievable_error` equals ``error``; 0 if not even one bit's fraction is that safe.

    >>> round(float(bsc_achievable_bits(100, 0.11, 1e-3)), 6)
    25.440813
    """
    return _over_arrays(_bsc_union_bits, n, flip, error_level("error", error))


def bsc_converse_bits(n: ArrayLike, flip: ArrayLike, error: ArrayLike) -> Array:
    """``−log2 β_{1−ε}``: no code has more bits; the sphere-packing form of the meta-converse (Theorem 40).

    ``β`` is the false-alarm probability, under fair coins, of the best test that accepts nature's flips with
    probability ``1 − ε``: it accepts up to L flips, the last number at random.

    >>> round(float(bsc_converse_bits(100, 0.11, 1e-3)), 6)
    28.173526
    """
    return _over_arrays(_bsc_converse_bits, n, flip, error_level("error", error))


def bsc_converse_error(n: ArrayLike, flip: ArrayLike, bits: ArrayLike) -> Array:
    """The ε at which `bsc_converse_bits` is ``bits``: every code of ``M = 2^bits`` words errs at least so often.

    Of the ``2^n`` words received, each message has ``2^n/M`` decided for it at best, those of the fewest flips.

    >>> round(float(bsc_converse_error(100, 0.11, 28.173526)), 6)
    0.001
    """
    return _over_arrays(_bsc_converse, n, flip, power("bits", bits))


def _over_arrays(one: Callable[[int, float, float], float], n: ArrayLike, p: ArrayLike, third: Array) -> Array:
    whole = count("n", n).astype(int)
    return np.asarray(np.vectorize(one, otypes=[float])(whole, probability("flip or erase", p), third))


def _log_binomials(n: int) -> Array:
    t = np.arange(n + 1)
    return np.asarray(gammaln(n + 1) - gammaln(t + 1) - gammaln(n - t + 1))


def _law(n: int, p: float) -> Array:
    """The probabilities of 0 to n events."""
    t = np.arange(n + 1)
    return np.asarray(np.exp(_log_binomials(n) + xlogy(t, p) + xlog1py(n - t, -p)))


def _log_others(bits: float) -> float:
    """``ln(M − 1)``."""
    return float(bits * TWO + np.log(-np.expm1(-bits * TWO))) if bits > 0 else -np.inf


def _bec_dependence_testing(n: int, erase: float, bits: float) -> float:
    heard = (n - np.arange(n + 1)) * TWO
    return float(_law(n, erase) @ np.exp(-np.maximum(heard - _log_others(bits) + TWO, 0)))


def _bec_converse(n: int, erase: float, bits: float) -> float:
    heard = n - np.arange(n + 1)
    return min(1.0, float(_law(n, erase) @ -np.expm1(np.minimum(heard - bits, 0) * TWO)))


def _most_bits(bound: Callable[[int, float, float], float]) -> Callable[[int, float, float], float]:
    """The last whole number of bits with ``bound ≤ error``; the bound grows with the bits and is 0 at none."""

    def search(n: int, erase: float, error: float) -> float:
        low, high = 0, n + 2 + int(-np.log2(1 - error))
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if bound(n, erase, middle) <= error else (low, middle)
        return float(low)

    return search


def _bsc_union(n: int, flip: float, bits: float) -> float:
    confused = np.logaddexp.accumulate(_log_binomials(n)) + (bits - n) * TWO
    return float(_law(n, min(flip, 1 - flip)) @ np.exp(np.minimum(confused, 0)))


def _bsc_union_bits(n: int, flip: float, error: float) -> float:
    if _bsc_union(n, flip, 0.0) >= error:
        return 0.0
    high = n + 1.0  # with more than n bits every word received is confused
    if _bsc_union(n, flip, high) <= error:
        return high
    return float(brentq(lambda bits: _bsc_union(n, flip, bits) / error - 1, 0.0, high, xtol=1e-13, rtol=1e-15))


def _bsc_converse_bits(n: int, flip: float, error: float) -> float:
    nature, balls = _law(n, min(flip, 1 - flip)), _log_binomials(n) - n * TWO
    # The tail beyond t, summed from its small end; nature's first t whose tail is within ε is the last one accepted.
    tail = np.append(np.cumsum(nature[::-1])[::-1][1:], 0.0)
    last = int(np.flatnonzero(tail <= error)[0])
    share = 1 - (error - tail[last]) / nature[last]
    accepted = np.append(balls[:last], balls[last] + np.log(share) if share > 0 else -np.inf)
    return float(-logsumexp(accepted) / TWO)


def _bsc_converse(n: int, flip: float, bits: float) -> float:
    # Of the words at each distance, the share that is left to other messages once the nearer ones are taken.
    room, spheres = (n - bits) * TWO, _log_binomials(n)
    balls = np.logaddexp.accumulate(spheres)
    taken = np.append(0.0, np.exp(np.minimum(balls[:-1] - room, 0)))
    left = 1 - np.clip((1 - taken) * np.exp(np.minimum(room - spheres, 700)), 0, 1)
    return min(1.0, float(_law(n, min(flip, 1 - flip)) @ left))
