"""Stratification of a binary channel by how many symbols of a word it hits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from channels import BEC, BSC, BitFlip, Channel
from jscc_sim.codecs import BlockCode, Repetition
from jscc_sim.estimators.assumptions import PLAINLY, check_codec, refusal
from jscc_sim.estimators.base import FINER, Estimator, Experiment
from jscc_sim.estimators.placed import Placed, Stratum, strata_of
from jscc_sim.link import Link, Transmission
from jscc_sim.metrics import Metric
from jscc_sim.seeds import seeded
from jscc_sim.sources import Bits

Shares = tuple[tuple[Stratum, int], ...]


@dataclass(frozen=True, eq=False)
class Weighted:
    """The score times the weight of its place in the block, ``(words,)``."""

    score: Callable[[Transmission], Tensor]
    weights: Tensor

    def __call__(self, sent: Transmission) -> Tensor:
        """``(words,)``, in float64."""
        return self.score(sent) * self.weights


@dataclass(frozen=True)
class Strata(Estimator):
    """``Σ_j P(J = j) · E[score | J = j]`` over the number ``J`` of symbols that nature flips or erases.

    ``P(J = j)`` is binomial and exact. Strata that the code's minimum distance corrects for sure are exactly 0 and
    never sent; all others are, the rarest of them as one, so that nothing is truncated. Words are shared out by
    Neyman's rule, in proportion to ``P(J = j)·σ_j``, the spread σ_j from a pilot of ``pilot`` words a stratum.

    Assumes fair bits in a code of known minimum distance over a BSC (flip below ½) or a BEC, alone or with a budgeted
    adversary behind it.
    """

    pilot: int = 256
    name: ClassVar[str] = "strata"
    judges: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not self.pilot >= 1:
            raise ValueError(f"a pilot has at least 1 word a stratum, got {self.pilot}")

    def check(self, link: Link) -> None:
        """ValueError unless the code's distance and nature's law are known, and errors are possible."""
        remedy = "use a code of known minimum distance (hamming, bch, repetition), or the plain estimator"
        check_codec(self.name, link.codec, (BlockCode, Repetition), remedy)
        if type(link.source) is not Bits:
            raise refusal(self.name, "fair bits as the source", link.source)
        nature = _nature(link.channel)
        if isinstance(nature, BSC) and not nature.flip < 0.5:
            mirrored = f"use 1 - flip, {1 - nature.flip:g}, as good a channel" if nature.flip > 0.5 else PLAINLY
            raise refusal(self.name, "flip below 1/2", f"flip={nature.flip}", mirrored)
        if not _strata(link):
            needs = "a channel where errors can happen"
            raise refusal(self.name, needs, str(nature), "the error rate is 0, or too small for float64")

    def prepare(self, link: Link, metrics: Sequence[Metric], words: int, seed: int) -> Experiment:
        """Share out by a pilot scored by the first metric; blocks are finer than plain ones."""
        self.check(link)
        strata = _strata(link)
        words = max(words // FINER, 2 * len(strata))
        pilot = tuple((stratum, self.pilot) for stratum in strata)
        with seeded(seed), torch.no_grad():
            scores = metrics[0].score(_placed(link, pilot).transmit(self.pilot * len(strata)))
        shares = tuple(zip(strata, _shares(strata, scores.double().view(-1, self.pilot), words), strict=True))
        weights = torch.cat(
            [torch.full((sent,), stratum.mass * words / sent, dtype=torch.float64) for stratum, sent in shares]
        )
        weighed = tuple(
            replace(metric, score=Weighted(metric.score, weights), binary=False, weighted=True) for metric in metrics
        )
        return Experiment(_placed(link, shares), weighed, words, float(weights.max()))


def minimum_distance(codec: BlockCode | Repetition) -> int:
    """The least number of symbols in which two code words differ: of a linear code, the least weight but zero.

    >>> from jscc_sim.codecs import BCH_15_7
    >>> minimum_distance(BlockCode(BCH_15_7))
    5
    """
    if isinstance(codec, BlockCode):
        return int((codec.words[1:] < 0).sum(-1).min())  # the first word is zero's
    return codec.times


def _nature(channel: Channel) -> BSC | BEC:
    """What strikes by chance: the channel, or what stands before an adversary's flips."""
    nature = channel.behind if type(channel) is BitFlip else channel
    if isinstance(nature, BSC | BEC) and type(nature) in (BSC, BEC):
        return nature
    remedy = "use the tilt estimator for one repeated bit in Gaussian noise, or the plain one"
    raise refusal(Strata.name, "a BSC or a BEC, alone or before bit flips", channel, remedy)


def _strata(link: Link) -> tuple[Stratum, ...]:
    """Strata of all numbers of hits that may cause an error: f flips and e erasures cause none if 2f + e < d."""
    codec, channel, nature = link.codec, link.channel, _nature(link.channel)
    spent = 2 * channel.flips + channel.erasures if isinstance(channel, BitFlip) else 0
    spare = minimum_distance(codec) - spent if isinstance(codec, BlockCode | Repetition) else 0
    if isinstance(nature, BSC):
        return strata_of(codec.n, nature.flip, max(0, -(-spare // 2)))
    return strata_of(codec.n, nature.erase, max(0, spare))


def _placed(link: Link, shares: Shares) -> Link:
    """The link with the numbers of hits given."""
    channel, placed = link.channel, Placed(_nature(link.channel), shares)
    if not isinstance(channel, BitFlip):
        return Link(link.source, link.codec, placed)
    after = BitFlip(placed, channel.flips, erasures=channel.erasures, informed=channel.informed, attack=channel.attack)
    return Link(link.source, link.codec, after)


def _shares(strata: Sequence[Stratum], scores: Tensor, words: int) -> list[int]:
    """How many of ``words`` each stratum gets, one at least, by its mass and its scores ``(strata, pilot)``.

    A pilot without any error, or with errors alone, does not say that there is no spread: it is smoothed as if one
    word more had erred and one had not.
    """
    rates = (scores.sum(-1).numpy() + 1) / (scores.shape[-1] + 2)
    spreads = np.array([stratum.mass for stratum in strata]) * np.sqrt(rates * (1 - rates))
    spreads = spreads / spreads.max()  # masses may be tiny
    shares = 1 + np.floor(spreads / spreads.sum() * (words - len(strata))).astype(int)
    shares[spreads.argmax()] += words - shares.sum()
    return [int(share) for share in shares]
