"""Exact errors of a small linear code under maximum likelihood, by enumeration: nature, then a budgeted adversary.

Bits travel as ±1. Nature is a BSC or a BEC; then an adversary flips at most ``flips`` unerased symbols and erases at
most ``erasures`` more. The receiver picks the codeword that agrees with most unerased symbols, of equals one at random.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jscc_sim.theory.code_attacks import Attacks
from jscc_sim.theory.parameters import count, probability

Integers = NDArray[np.int64]
LONGEST = 20  # 2^n outcomes of nature are held at once


class CodeError(NamedTuple):
    """Word and bit error rates; ``bit`` is NaN where equally harmful attacks differ in the bits they cost."""

    word: float
    bit: float


def linear_codewords(generator: ArrayLike) -> Integers:
    """``u G mod 2`` for every message u of k bits in binary order, ``(2^k, n)``; the first bit counts most.

    >>> linear_codewords([[1, 0, 1], [0, 1, 1]]).tolist()
    [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]
    """
    rows = _bits("generator", generator)
    return _messages(rows.shape[0]) @ rows % 2


def code_error(
    codewords: ArrayLike,
    *,
    flip: float = 0.0,
    erase: float = 0.0,
    flips: int = 0,
    erasures: int = 0,
    informed: bool = True,
    messages: ArrayLike | None = None,
) -> CodeError:
    """The error rates of the linear code ``codewords (2^k, n)`` with ``messages (2^k, k)``, by default in binary order.

    An informed adversary sees nature's result and chooses the attack with the largest lead of a wrong codeword, and of
    those one with most codewords in that lead: no attack has more word errors. A blind one chooses in the same way for
    the clean word, of equal attacks the first of `code_attacks.all_attacks`; what it flips under an erasure is lost.
    With minimum distance d and no nature, ``2 flips + erasures < d`` never errs. Derived for this project.

    >>> checks = [[1, 1, 0], [1, 0, 1], [0, 1, 1], [1, 1, 1]]
    >>> hamming = linear_codewords(np.hstack([np.eye(4), checks]))
    >>> [round(code_error(hamming, flip=0.1, flips=flips).word, 6) for flips in (0, 1)]
    [0.149694, 0.521703]
    """
    wrong, cost, n, k = _code(_bits("codewords", codewords), messages)
    flips, erasures = int(count("flips", flips, 0)), int(count("erasures", erasures, 0))
    if min(probability("flip", flip), probability("erase", erase)) > 0:
        raise ValueError(f"nature flips or erases, not both: got flip {flip} and erase {erase}")
    attacks = Attacks(wrong, cost, n, k, erasing=erase > 0)
    outcomes = attacks.informed(flips, erasures) if informed else attacks.blind(*attacks.aim(flips, erasures))
    errors, chance = np.bitwise_count(np.arange(2**n)).astype(float), erase or flip
    return CodeError(*attacks.rates(outcomes, chance**errors * (1 - chance) ** (n - errors)))


def _code(words: Integers, messages: ArrayLike | None) -> tuple[Integers, Integers, int, int]:
    """Every codeword but the zero word as a pattern, the message bits that it costs, and n and k."""
    told = _messages(words.shape[0].bit_length() - 1) if messages is None else _bits("messages", messages)
    if told.shape[0] != words.shape[0] or words.shape[0] < 2:
        raise ValueError(f"a code has 2^k > 1 codewords, one per message, got {words.shape[0]} for {told.shape[0]}")
    n = words.shape[1]
    if n > LONGEST:
        raise ValueError(f"enumeration reaches to n = {LONGEST}, got a code of length {n}")
    patterns = words @ (1 << np.arange(n))
    if len(set(patterns.tolist())) != 2 ** _rank(patterns.tolist()):
        raise ValueError(f"codewords must be closed under addition, got {words.shape[0]} that are not")
    sent = np.flatnonzero(patterns == 0)[0]
    cost = (told ^ told[sent]).sum(1)
    return np.delete(patterns, sent), np.delete(cost, sent), n, told.shape[1]


def _rank(patterns: list[int]) -> int:
    """The dimension of the span of these patterns over GF(2)."""
    basis: list[int] = []
    for pattern in patterns:
        for known in basis:
            pattern = min(pattern, pattern ^ known)
        if pattern:
            basis.append(pattern)
    return len(basis)


def _messages(k: int) -> Integers:
    return np.arange(2**k)[:, None] >> np.arange(k)[::-1] & 1


def _bits(name: str, given: ArrayLike) -> Integers:
    array = np.asarray(given)
    if array.ndim != 2 or array.size == 0 or not np.isin(array, (0, 1)).all():
        raise ValueError(f"{name} must be a two-dimensional array of 0 and 1, got {array.dtype} of shape {array.shape}")
    return array.astype(np.int64)
