"""Gradient ascent of the harm of a signal, at several powers at once, by whatever slope an attack can find."""

from collections.abc import Callable

import torch
from torch import Tensor

from jscc_sim.attack.effort import Effort
from jscc_sim.attack.found import Found
from jscc_sim.attack.settle import few_powers, scaled
from jscc_sim.attack.victim import Victim, Words
from jscc_sim.factory import said

# Symbols that one step of an ascent sends through the codec; words per signal follow from it.
STEP_SYMBOLS = 2**15
MOST_WORDS = 64
FEWEST_WORDS = 8
# The step over the signal's size: from the first to the last, geometrically.
FIRST_STEP, LAST_STEP = 0.5, 0.02
NO_WAY = "what comes out of it is not connected to what is received"

# The slope ``(m, n)`` of the harm of ``signals (m, n)`` on some words; None if there is no way from one to the other.
Slope = Callable[[Tensor, Words], Tensor | None]


def climb(victim: Victim, slope: Slope, starts: Tensor, effort: Effort) -> Found:
    """Steepest ascent on spheres of constant power, fresh words in every step; returns midway and final signals."""
    radius = starts.norm(dim=1, keepdim=True)
    signals, midway, flat, wild = starts, starts, 0.0, 0.0
    for step, rate in enumerate(_rates(effort.steps)):
        words = victim.draw(words_per_signal(victim, len(signals)))
        try:
            found = slope(signals, words)
        except (RuntimeError, TypeError, ValueError, AttributeError, NotImplementedError) as error:
            return Found(starts, 1.0, 0.0, said(error))
        if found is None:
            return Found(starts, 1.0, 0.0, NO_WAY)
        wild += float((~found.isfinite()).any(1).float().mean()) / effort.steps
        found = found.nan_to_num(0.0, 0.0, 0.0)
        sizes = found.norm(dim=1, keepdim=True)
        flat += float((sizes == 0).float().mean()) / effort.steps
        moved = signals + rate * radius * found / sizes.clamp_min(1e-30)
        signals = radius * moved / moved.norm(dim=1, keepdim=True).clamp_min(1e-30)
        midway = signals if step == effort.steps // 2 else midway
    return Found(torch.cat([starts, midway, signals]), flat, wild)


def random_starts(victim: Victim, effort: Effort) -> Tensor:
    """Random directions, Gaussian and of few symbols, at several powers."""
    n = victim.codec.n
    dense = torch.randn(effort.starts, n)
    sparse = torch.randn(effort.starts, n) * (torch.rand(effort.starts, n) < 2 / n)
    sparse[torch.arange(effort.starts), torch.randint(n, (effort.starts,))] += 1.0
    return scaled(torch.cat([dense, sparse]), few_powers(victim))


def words_per_signal(victim: Victim, signals: int) -> int:
    """As many words as a step may send with each signal."""
    fair = STEP_SYMBOLS // (signals * max(victim.codec.n, victim.codec.k) * victim.codec.cost)
    return max(FEWEST_WORDS, min(MOST_WORDS, fair))


def _rates(steps: int) -> list[float]:
    return [FIRST_STEP * (LAST_STEP / FIRST_STEP) ** (step / max(1, steps - 1)) for step in range(steps)]
