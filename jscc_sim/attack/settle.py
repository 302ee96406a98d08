"""From candidate signals to the best mixture: amplitudes sought at the price of power, choice on words of its own."""

import math

import torch
from torch import Tensor

from jscc_sim.attack.effort import Effort, strongest
from jscc_sim.attack.pool import Pool, weigh
from jscc_sim.attack.victim import Victim

KEPT = 8
# Amplitudes about each kept signal: factors up to the zoom and down to its inverse.
ZOOMS = (1.5, 1.2, 1.06, 1.015, 1.004)
FACTORS = 9


def powers(victim: Victim, ratio: float) -> list[float]:
    """PA times powers of ``ratio``: from PA/8 to the strongest pulses."""
    most = strongest(victim.jam_power)
    steps = int(math.log(most / victim.jam_power, ratio))
    first = -round(math.log(8, ratio))
    return [*(victim.jam_power * ratio**step for step in range(first, steps + 1)), most]


def few_powers(victim: Victim) -> list[float]:
    """Five powers from PA to well above jammer and signal."""
    start, stop = math.log10(victim.jam_power), math.log10(50 * max(10 * victim.jam_power, 1.0))
    return [float(level) for level in torch.logspace(start, stop, 5, dtype=torch.float64)]


def scaled(directions: Tensor, levels: list[float]) -> Tensor:
    """Every direction ``(m, n)`` at every power per symbol: ``(m·len(levels), n)``."""
    unit = directions / directions.square().mean(1, keepdim=True).sqrt().clamp_min(1e-30)
    sizes = torch.tensor(levels, dtype=directions.dtype).sqrt()
    return (unit.unsqueeze(1) * sizes.view(1, -1, 1)).flatten(0, 1)


def settle(victim: Victim, candidates: Tensor, effort: Effort) -> Pool:
    """The best of ``candidates (m, n)``, their amplitudes refined, with harms estimated on words not searched with."""
    words = victim.draw(effort.search)
    pool = weigh(victim, candidates, words)
    for zoom in ZOOMS:
        kept = pool.take(pool.top(KEPT, victim.jam_power))
        factors = torch.linspace(-math.log(zoom), math.log(zoom), FACTORS, dtype=kept.dtype).exp()
        pool = weigh(victim, (kept.unsqueeze(1) * factors.view(1, -1, 1)).flatten(0, 1), words)
    return choose(victim, pool.take(pool.top(2 * KEPT, victim.jam_power)), effort)


def choose(victim: Victim, signals: Tensor, effort: Effort) -> Pool:
    """The pool of these signals, on words drawn for this alone."""
    return weigh(victim, signals, victim.draw(effort.choose))
