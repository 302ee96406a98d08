"""Signals of few parameters: pulses, steps, tones, differences of codewords, random ones; at every power."""

import math

import torch
from torch import Tensor

from jscc_sim.attack.effort import FEWEST_WORDS, Effort
from jscc_sim.attack.found import Found
from jscc_sim.attack.pool import weigh
from jscc_sim.attack.settle import powers, scaled
from jscc_sim.attack.victim import Victim

WORDS_COMPARED = 256
KEPT = 24


def shapes(victim: Victim, effort: Effort) -> Found:
    """Directions that do harm at some power, at all powers: the search by queries alone that knows where to look."""
    directions = torch.cat([family for family in families(victim, effort.each) if len(family)])
    words = victim.draw(max(FEWEST_WORDS, effort.search // 2))
    coarse = powers(victim, 4)
    pool = weigh(victim, scaled(directions, coarse), words)
    worth = pool.worth(victim.jam_power)[1:].view(len(directions), len(coarse)).amax(1)
    best = worth.argsort(descending=True, stable=True)[:KEPT]
    return Found(scaled(directions[best], powers(victim, 2**0.5)))


def families(victim: Victim, each: int) -> list[Tensor]:
    """Directions ``(m, n)`` of each family; of longer words up to ``each`` pulses, tones, pairs and random ones."""
    n = victim.codec.n
    few = each // 4
    signs = (torch.randint(2, (few, n)) * 2 - 1).float()
    return [pulses(n, each), steps(n), tones(n, each), differences(victim, few), signs, torch.randn(few, n)]


def pulses(n: int, each: int) -> Tensor:
    """One symbol, of either sign, and two neighbours alike or opposed."""
    where = spaced(n, each)
    one = torch.eye(n)[where]
    next_one = torch.eye(n)[(where + 1) % n] if n > 1 else one[:0]
    pairs = [one[: len(next_one)] + next_one, one[: len(next_one)] - next_one]
    return torch.cat([one, -one, *pairs])


def steps(n: int) -> Tensor:
    """All symbols alike, every ``m``-th of them, and the first or last share of them; of either sign."""
    place = torch.arange(n)
    spans = {n // part for part in (2, 4, 8) if n // part > 0}
    rows = [torch.ones(n), *((place % m == r).float() for m in (2, 3, 4) if m <= n for r in range(m))]
    rows += [row.float() for span in sorted(spans) for row in (place < span, place >= n - span)]
    family = torch.stack(rows)
    return torch.cat([family, -family])


def tones(n: int, each: int) -> Tensor:
    """``cos(2πfi)`` and ``sin(2πfi)`` at spaced frequencies f from 0 to ½ cycle per use; of either sign."""
    if n == 1:
        return torch.empty(0, 1)
    turns = spaced(n + 1, each).double() / (2 * n)
    angles = 2 * math.pi * turns.unsqueeze(1) * torch.arange(n)
    waves = torch.cat([angles.cos(), angles[1:-1].sin()]).float()
    return torch.cat([waves, -waves])


def differences(victim: Victim, pairs: int) -> Tensor:
    """Half the differences of words sent, the nearest pairs and some at random, and the words themselves.

    Added to one of the pair, half their difference is where a receiver of block codes changes its mind.
    """
    x = victim.draw(WORDS_COMPARED).x.float()
    apart = torch.cdist(x, x) + 1e9 * torch.eye(len(x))
    apart[apart < 1e-3 * math.sqrt(x.shape[1])] = 1e9  # the same word
    near = apart.flatten().argsort()[: pairs * len(x)]
    near = near[torch.randperm(len(near))[:pairs]] if float(apart.min()) == float(apart.flatten()[near[-1]]) else near
    first, second = (near[:pairs] // len(x)).long(), (near[:pairs] % len(x)).long()
    gaps = torch.cat([x[first] - x[second], x[:pairs] - x[pairs : 2 * pairs]]) / 2
    supports = gaps[:pairs].abs()
    found = torch.cat([gaps, supports, -supports, x[:pairs]])
    return found[found.abs().amax(1) > 1e-6]


def spaced(n: int, each: int) -> Tensor:
    """Up to ``each`` of the numbers below ``n``, the first and the last among them."""
    return torch.linspace(0, n - 1, min(n, each)).round().long()
