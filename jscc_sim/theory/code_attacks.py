"""Maximum-likelihood decoding of every pattern of flips and erasures of a small code, and the worst one in a budget.

The zero word is sent. A pattern is a whole number whose bit i stands for position i. Under flips F and erasures E the
wrong codeword c leads the right one by ``2 |F ∩ c∖E| − |c∖E|`` votes, up to a factor 2. An outcome is a whole number
that orders patterns by harm: the largest lead first, then how many codewords share it, then the message bits they cost.
"""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from jscc_sim.theory.parameters import Array

Integers = NDArray[np.int64]
CELLS = 1 << 20  # codewords times patterns compared at once
NEVER = -1  # below every outcome


class Attacks:
    """All outcomes of a code of ``wrong (C,)`` codewords, each at the ``cost (C,)`` of so many of ``k`` message bits.

    Nature erases if ``erasing``, otherwise it flips; what it does is the *inner* pattern, of any size, and the other
    kind, which only the adversary does, is the *outer* one.
    """

    def __init__(self, wrong: Integers, cost: Integers, n: int, k: int, erasing: bool) -> None:
        self.n, self.k, self.erasing = n, k, erasing
        self.wrong, self.sums = wrong, np.stack([np.ones(cost.size), cost]).astype(np.float32)
        self.patterns = np.arange(2**n)
        self.ties, self.bits = wrong.size + 1, wrong.size * k + 1

    def informed(self, flips: int, erasures: int) -> Integers:
        """``(2, 2^n)``: the worst outcome within the budgets after each pattern of nature, at most and least bits."""
        outer_budget, inner_budget = (flips, erasures) if self.erasing else (erasures, flips)
        worst = np.full((2, 2**self.n), NEVER)
        for outer in subsets(range(self.n), outer_budget):
            reached = self._spread(self._outcomes(outer), inner_budget)
            # What nature flipped under an erasure is forgotten; what it erased cannot be flipped, and reads NEVER.
            worst = np.maximum(worst, reached if self.erasing else reached[:, self.patterns & ~outer])
        return worst

    def blind(self, flipped: int, erased: int) -> Integers:
        """``(2, 2^n)``: the outcome of one fixed attack after each pattern of nature."""
        if not self.erasing:
            return self._outcomes(erased)[:, (self.patterns ^ flipped) & ~erased]
        outcomes = np.full((2, 2**self.n), NEVER)
        landed = flipped & ~self.patterns
        for outer in np.unique(landed):
            here = landed == outer
            outcomes[:, here] = self._outcomes(int(outer))[:, self.patterns[here] | erased]
        return outcomes

    def aim(self, flips: int, erasures: int) -> tuple[int, int]:
        """The attack (flipped, erased) that is worst for the clean word; of equals, the first of `all_attacks`."""
        best, most = (0, 0), (NEVER, NEVER)
        for flipped, erased in all_attacks(self.n, flips, erasures):
            leads = 2 * np.bitwise_count(self.wrong & flipped).astype(int) - np.bitwise_count(self.wrong & ~erased)
            harm = int(leads.max()) + self.n, int((leads == leads.max()).sum())
            best, most = ((flipped, erased), harm) if harm > most else (best, most)
        return best

    def rates(self, outcomes: Integers, chance: Array) -> tuple[float, float]:
        """Word and bit error rate if nature's patterns have these chances; NaN bits if most and least differ."""
        harm, cost = np.divmod(outcomes, self.bits)
        cost[1] = self.bits - 1 - cost[1]
        lead, tied = np.divmod(harm, self.ties)
        rivals = np.where(lead > self.n, tied, tied + 1)
        lost = lead >= self.n
        word = float(chance @ (lost[0] * tied[0] / rivals[0]))
        most, least = ((lost * cost / rivals) @ chance / self.k).tolist()
        return word, most if np.isclose(most, least, rtol=1e-12, atol=0) else float("nan")

    def _outcomes(self, outer: int) -> Integers:
        """``(2, 2^n)``: the outcome at each inner pattern, NEVER where it meets the outer one."""
        outcomes = np.full((2, 2**self.n), NEVER)
        inner = self.patterns[self.patterns & outer == 0]
        step = max(1, CELLS // self.wrong.size)
        for start in range(0, inner.size, step):
            part = inner[start : start + step]
            outcomes[:, part] = self._compare(outer, part)
        return outcomes

    def _compare(self, outer: int, inner: Integers) -> Integers:
        met = np.bitwise_count(self.wrong.astype(np.uint32)[:, None] & inner.astype(np.uint32)).astype(np.int8)
        size, hit = (np.bitwise_count(words).astype(np.int8)[:, None] for words in (self.wrong, self.wrong & outer))
        leads = met + (2 * hit - size) if self.erasing else 2 * met + (hit - size)
        lead = leads.max(0)
        tied, cost = (self.sums @ (leads == lead).astype(np.float32)).astype(np.int64)
        harm = ((lead.astype(np.int64) + self.n) * self.ties + tied) * self.bits
        return np.stack([harm + cost, harm + self.bits - 1 - cost])

    def _spread(self, outcomes: Integers, budget: int) -> Integers:
        """The worst outcome among inner patterns that differ in at most ``budget`` flips, or erasures added."""
        for _ in range(min(budget, self.n)):
            wider = outcomes.copy()
            for position in range(self.n):
                shape = (2, -1, 2, 1 << position)
                changed = outcomes.reshape(shape)[:, :, 1:] if self.erasing else outcomes.reshape(shape)[:, :, ::-1]
                wider = np.maximum(wider.reshape(shape), changed).reshape(2, -1)
            outcomes = wider
        return outcomes


def all_attacks(n: int, flips: int, erasures: int) -> Iterator[tuple[int, int]]:
    """Every (flipped, erased) pattern within the budgets: fewer flips first, then by position; then so for erasures.

    >>> list(all_attacks(2, 1, 1))
    [(0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)]
    """
    for flipped in subsets(range(n), flips):
        rest = [position for position in range(n) if not flipped >> position & 1]
        for erased in subsets(rest, erasures):
            yield flipped, erased


def subsets(positions: Sequence[int], most: int) -> Iterator[int]:
    """Patterns of at most ``most`` of these positions, smaller ones first, then in the order of `combinations`."""
    for size in range(min(most, len(positions)) + 1):
        for chosen in itertools.combinations(positions, size):
            yield sum(1 << position for position in chosen)
