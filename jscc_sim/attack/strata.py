"""Means over strata: what words score is tallied apart for silence, for pulses, for each signal of a mixture."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import torch
from torch import Tensor

from jscc_sim.attack.strikes import Strike
from jscc_sim.tally import FEWEST_EVENTS, Estimate, Tally, mean


@dataclass(frozen=True)
class Stratum:
    """The ``share`` of the time that words spend in it, and what they score there, block by block."""

    share: float
    blocks: tuple[Tally, ...]

    @property
    def events(self) -> int:
        """How many of its words scored."""
        return sum(tally.events for tally in self.blocks)

    @property
    def shows_little(self) -> bool:
        """Whether so few words scored that the blocks do not show how much they vary."""
        return self.events < min(FEWEST_EVENTS, sum(tally.words for tally in self.blocks))


def stratified(met: Sequence[Strike], scored: Callable[[Tensor], Tensor], rare: bool) -> list[Stratum]:
    """One block of each stratum: the score of what was received, as a mean over the draws that a word meets there."""
    found = []
    for _, strikes in groupby(met, lambda strike: strike.stratum):
        drawn = list(strikes)
        scores = torch.stack([scored(strike.y).double() for strike in drawn]).mean(0)
        found.append(Stratum(sum(strike.share for strike in drawn), (Tally.of(scores, rare),)))
    return found


def joined(blocks: Sequence[Sequence[Stratum]]) -> list[Stratum]:
    """The strata of one block after another, with all their blocks."""
    return [
        Stratum(parts[0].share, tuple(tally for part in parts for tally in part.blocks))
        for parts in zip(*blocks, strict=True)
    ]


def combined(strata: Sequence[Stratum]) -> Estimate:
    """The mean ``Σ share · mean`` of a score that is never negative, over strata that share their words.

    Strata in which enough words scored are added up block by block, and have Student's interval. Where errors are rare
    none may show, and blocks then seem not to vary: the ends of such a stratum's own interval are added, times its
    share. They are added rather than their squares because strata may err on the same words. The events are those of
    the stratum that has fewest.
    """
    often = [stratum for stratum in strata if not stratum.shows_little]
    parts = [(stratum.share, mean(stratum.blocks)) for stratum in strata if stratum.shows_little]
    parts += [(1.0, mean(added(often)))] if often else []
    return replace(
        mean(added(strata)),
        low=sum(share * max(0.0, part.low) for share, part in parts),
        high=sum(share * part.high for share, part in parts),
        events=min(stratum.events for stratum in strata),
    )


def added(strata: Sequence[Stratum]) -> list[Tally]:
    """The score of each block over these strata; every word counts as an event."""
    totals = [
        sum(stratum.share * tally.total for stratum, tally in zip(strata, tallies, strict=True))
        for tallies in zip(*(stratum.blocks for stratum in strata), strict=True)
    ]
    words = strata[0].blocks[0].words
    return [Tally(words, total, words) for total in totals]
