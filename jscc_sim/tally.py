"""Sums of per-word scores that add up, and honest intervals made of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy import stats
from torch import Tensor

LEVEL = 0.95
# Student's t over fewer block means says little.
FEWEST_BLOCKS = 30
# What rounding alone may do to a mean of float32 scores; agreement cannot be asked for more closely than that.
ROUNDING = 1e-6
# With fewer words that scored at all, Student's t is no match for the skewness of rare errors.
FEWEST_EVENTS = 100


def standard_error(scores: Tensor) -> float:
    """Of the mean of independent scores ``(count,)``; of a single one NaN."""
    return float(scores.std()) / math.sqrt(len(scores))


@dataclass(frozen=True, slots=True)
class Tally:
    """The sum of a score over so many words, and in how many of them it was not zero."""

    words: int
    total: float
    events: int

    @classmethod
    def of(cls, scores: Tensor, rare: bool = True) -> "Tally":
        """The tally of ``scores (words,)``, added up in float64; where none is ``rare``, every word counts as one."""
        words = scores.shape[0]
        if scores.dtype == torch.bool:
            errors = int(np.count_nonzero(scores.numpy(force=True)))
            return cls(words, float(errors), errors)
        total = float(scores.sum(dtype=torch.float64))
        return cls(words, total, int(scores.count_nonzero()) if rare else words)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.words + other.words, self.total + other.total, self.events + other.events)


@dataclass(frozen=True)
class Estimate:
    """A mean over words with its 95 % interval, and the standard error that tests against exact values use."""

    words: int
    mean: float
    low: float
    high: float
    std_error: float
    freedom: float
    events: int

    def p_value(self, exact: float, margin: float = 0.0) -> float | None:
        """Two-sided p-value of "the true mean lies within ``exact·(1 ± margin)``"; None if too few words scored."""
        excess = abs(self.mean - exact) - (margin + ROUNDING) * abs(exact)
        if excess <= 0:
            return 1.0
        if self.events < FEWEST_EVENTS:
            return None
        return min(1.0, 2 * self._tail(excess))

    def p_below(self, bound: float) -> float | None:
        """One-sided p-value of "the true mean is at least ``bound``"; None if too few words scored."""
        excess = (1 - ROUNDING) * bound - self.mean
        if excess <= 0:
            return 1.0
        return None if self.events < FEWEST_EVENTS else self._tail(excess)

    def p_above(self, ceiling: float) -> float | None:
        """One-sided p-value of "the true mean is at most ``ceiling``"; None if too few words scored."""
        excess = self.mean - (1 + ROUNDING) * ceiling
        if excess <= 0:
            return 1.0
        return None if self.events < FEWEST_EVENTS else self._tail(excess)

    def widened(self) -> "Estimate":
        """With room in its interval for what rounding may do: an estimator's variance may be smaller than that."""
        room = ROUNDING * abs(self.mean)
        return replace(self, low=self.low - room, high=self.high + room)

    def _tail(self, excess: float) -> float:
        return float(stats.t.sf(excess / self.std_error, self.freedom)) if self.std_error else 0.0


def mean(blocks: Sequence[Tally], pilot: int | None = None, heaviest: float | None = None) -> Estimate:
    """The mean of a score, from at least two blocks of equal size.

    The interval is Student's over block means: ``t(B−1)·s/√B``, or, where the first ``pilot`` blocks decided how many
    follow, Stein's two-stage interval ``t(n₀−1)·s₀/√B`` with the pilot's variance (Stein 1945). A score that few words
    have gets an interval by their number; one that never showed, the upper end that zero errors allow. Where errors
    have weights, none of which is above ``heaviest``, all that may have been missed are taken to be as heavy.
    """
    means = np.array([tally.total / tally.words for tally in blocks])
    words = sum(tally.words for tally in blocks)
    freedom = (pilot or len(blocks)) - 1
    std_error = float(means[: pilot or len(blocks)].std(ddof=1) / math.sqrt(len(blocks)))
    middle = math.fsum(tally.total for tally in blocks) / words
    events = sum(tally.events for tally in blocks)
    half = float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * std_error
    low, high = middle - half, middle + half
    if events < min(FEWEST_EVENTS, words):  # where every word scores, none is rare
        few = _of_few(events, words, middle) if heaviest is None else _of_few_weighted(events, words, middle, heaviest)
        low, high = few
    return Estimate(words, middle, low, high, std_error, freedom, events)


def _of_few(events: int, words: int, middle: float) -> tuple[float, float]:
    """An interval for the mean of a score that so few words have: Clopper-Pearson's for how often, times the score.

    Widened by √2 about the middle, as if the scores of those words spread as much as an exponential's.
    """
    low, high = clopper_pearson(events, words)
    if events == 0:
        return low, high
    score = middle * words / events
    return middle - math.sqrt(2) * (middle - low * score), middle + math.sqrt(2) * (high * score - middle)


def _of_few_weighted(events: int, words: int, middle: float, heaviest: float) -> tuple[float, float]:
    """Clopper-Pearson's interval for how often there are errors, those missed or in excess being the heaviest."""
    low, high = clopper_pearson(events, words)
    return middle - heaviest * (events / words - low), middle + heaviest * (high - events / words)


def blocks_for(pilot: Sequence[Tally], rel_error: float) -> int:
    """How many blocks bring the half-width of Stein's interval under ``rel_error`` times the mean.

    Decided once, from the pilot: watching the interval and stopping when it looks narrow covers less than it says.
    The true mean is replaced by its lower confidence limit, so that the promise holds in 97.5 % of runs.
    """
    first = mean(pilot)
    if first.std_error == 0:
        return len(pilot)
    target = rel_error * max(first.low, first.mean / 10)
    deviation = first.std_error * math.sqrt(len(pilot))
    return max(len(pilot), math.ceil((stats.t.ppf((1 + LEVEL) / 2, first.freedom) * deviation / target) ** 2))


def errors_for(rel_error: float) -> int:
    """How many errors bring the half-width of a Clopper-Pearson interval under ``rel_error`` times the rate.

    Solves ``z√r + 1 = rel_error·r``: for rare errors the exact interval is about one error wider than the normal one.

    >>> errors_for(0.1)
    404
    """
    z = float(stats.norm.ppf((1 + LEVEL) / 2))
    return math.ceil(((z + math.sqrt(z * z + 4 * rel_error)) / (2 * rel_error)) ** 2)


def clopper_pearson(errors: int, words: int) -> tuple[float, float]:
    """The exact 95 % interval of an error probability (Clopper and Pearson 1934).

    >>> low, high = clopper_pearson(0, 1000)
    >>> low, round(high, 5)
    (0.0, 0.00368)
    """
    tail = (1 - LEVEL) / 2
    low = float(stats.beta.ppf(tail, errors, words - errors + 1)) if errors else 0.0
    high = float(stats.beta.ppf(1 - tail, errors + 1, words - errors)) if errors < words else 1.0
    return low, high


@dataclass(frozen=True)
class Proportion(Estimate):
    """An estimate of an error probability from 0/1 scores."""

    def p_value(self, exact: float, margin: float = 0.0) -> float:
        """Exact binomial test, at the end of ``exact·(1 ± margin)`` that is nearer to the mean."""
        nearest = min(max(self.mean, exact * (1 - margin)), min(exact * (1 + margin), 1.0))
        return float(stats.binomtest(round(self.mean * self.words), self.words, nearest).pvalue)

    def p_below(self, bound: float) -> float:
        """Exact one-sided binomial test."""
        return float(stats.binomtest(round(self.mean * self.words), self.words, bound, "less").pvalue)

    def p_above(self, ceiling: float) -> float:
        """Exact one-sided binomial test."""
        return float(stats.binomtest(round(self.mean * self.words), self.words, ceiling, "greater").pvalue)


def proportion(blocks: Sequence[Tally]) -> Proportion:
    """The probability of an error, from blocks of 0/1 scores, with its Clopper-Pearson interval."""
    total = sum(blocks, Tally(0, 0.0, 0))
    rate = total.total / total.words
    low, high = clopper_pearson(round(total.total), total.words)
    std_error = math.sqrt(rate * (1 - rate) / total.words)
    return Proportion(total.words, rate, low, high, std_error, total.words - 1, total.events)
