"""A binary channel told how many symbols of each word to hit: strata of numbers of flips or erasures."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor

from channels import BEC, BSC, MemorylessChannel, Received

# More strata than these would cost words that none of them repays; the rest share one.
MOST_STRATA = 16
# The share of the mass below which the rest share one.
RARE_REST = 1e-4


@dataclass(frozen=True, eq=False)
class Stratum:
    """Words with ``least`` hits or more, of total probability ``mass``; ``steps`` are the cumulated shares in it."""

    least: int
    mass: float
    steps: NDArray[np.float64]

    def draw(self, words: int) -> Tensor:
        """Numbers of hits ``(words,)``, by the law that the stratum leaves."""
        if len(self.steps) == 1:
            return torch.full((words,), self.least)
        uniform = torch.rand(words, dtype=torch.float64)
        return self.least + torch.searchsorted(torch.from_numpy(self.steps[:-1]), uniform, right=True)


def strata_of(n: int, probability: float, least: int) -> tuple[Stratum, ...]:
    """Strata of ``least`` hits or more among ``n``: one for each number, the last for all that are rarer still."""
    counts = np.arange(least, n + 1)
    masses = stats.binom.pmf(counts, n, probability)
    left = masses[::-1].cumsum()[::-1]  # from each number up; small terms first
    own = min(MOST_STRATA - 1, int((left > RARE_REST * left[0]).sum()))
    found = [Stratum(least + index, float(masses[index]), np.ones(1)) for index in range(own) if masses[index] > 0]
    rest = masses[own:]
    if rest.sum() > 0:
        found.append(Stratum(least + own, float(left[own]), rest.cumsum() / rest.sum()))
    return tuple(found)


class Placed(MemorylessChannel):
    """``nature``, its numbers of hits drawn by ``shares``: so many words, in this order, from each stratum.

    Which symbols are hit is as fair as in nature.
    """

    alphabet = output = "antipodal"

    def __init__(self, nature: BSC | BEC, shares: tuple[tuple[Stratum, int], ...]) -> None:
        super().__init__()
        self.nature, self.shares, self.knob = nature, shares, nature.knob
        self.factor = -1.0 if isinstance(nature, BSC) else 0.0

    def at(self, level: float) -> Self:
        """The same numbers of hits, believed to come from nature at ``level``."""
        return type(self)(self.nature.at(level), self.shares)

    @property
    def nominal(self) -> MemorylessChannel:
        """Nature: the receiver does not know that it was told anything."""
        return self.nature

    def transmit(self, x: Tensor, u: Tensor | None = None) -> Received:
        """Hit symbols of ``x (words, n)``."""
        counts = torch.cat([stratum.draw(words) for stratum, words in self.shares])
        order = torch.rand(x.shape, dtype=torch.float64).argsort(-1)  # ties are rarer than 2⁻⁵⁰
        hit = torch.empty_like(order).scatter_(-1, order, torch.arange(x.shape[-1]).expand_as(order))
        return Received(torch.where(hit < counts.unsqueeze(-1), self.factor * x, x), self.nature)

    def log_prob(self, y: Tensor, x: Tensor) -> Tensor:
        """Nature's."""
        return self.nature.log_prob(y, x)

    def llr(self, y: Tensor) -> Tensor:
        """Nature's."""
        return self.nature.llr(y)
