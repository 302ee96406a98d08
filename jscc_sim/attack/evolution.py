"""Black box: CMA-ES from the library ``cma``, over the signal or over weights of the best shapes."""

import numpy as np
import torch
from torch import Tensor

from jscc_sim.attack.effort import FEWEST_WORDS, Effort
from jscc_sim.attack.found import Found
from jscc_sim.attack.pool import Pool, weigh
from jscc_sim.attack.settle import few_powers, scaled
from jscc_sim.attack.shapes import families
from jscc_sim.attack.victim import Victim, Words

# Longer signals are sought within the span of as many shapes.
MOST_DIMENSIONS = 24
RUNS = 4
POPULATION = 16
# The first spread over the size of the signal, of all its symbols together if it starts near a good one.
WIDE, NEAR = 0.5, 0.3


def evolution(victim: Victim, effort: Effort) -> Found:
    """The most harmful signals of runs from random ones, by the worth of each in turns with silence; Hansen 2006.

    A run sees the same words throughout, so that what it compares is the signals.
    """
    words = victim.draw(max(FEWEST_WORDS, effort.search // 4))
    basis = _basis(victim, words, effort.each)
    found = []
    for level in few_powers(victim)[:RUNS]:
        start = torch.randn(len(basis)) @ basis
        size = (level * victim.codec.n) ** 0.5
        found.append(_run(victim, basis, words, size * start / start.norm(), effort.evaluations // RUNS))
    return Found(torch.cat(found))


def polish(victim: Victim, pool: Pool, effort: Effort) -> Tensor:
    """The stronger signal of the best mixture, and what a short run near it finds at the price that power has now."""
    best = pool.best(victim.jam_power)
    start = pool.signals[best.second].float()
    if victim.codec.n > MOST_DIMENSIONS or not start.any():
        return start.unsqueeze(0)
    words, basis = victim.draw(effort.search), torch.eye(victim.codec.n)
    return _run(victim, basis, words, start, effort.evaluations // RUNS, price=best.price)


def _run(
    victim: Victim, basis: Tensor, words: Words, start: Tensor, evaluations: int, *, price: float | None = None
) -> Tensor:
    """The mean and the best signal of the last generations, from ``start (n,)`` within the span of ``basis (d, n)``.

    By the worth of a signal, or from nearby by what it gains beyond its price.
    """
    import cma

    dimensions = max(2, len(basis))  # CMA-ES knows no single dimension: a second one does nothing
    scale = float(start.norm())
    generator = np.random.default_rng(int(torch.randint(2**31, (1,))))
    options = {
        "popsize": POPULATION,
        "maxfevals": evaluations,
        "randn": lambda *shape: generator.standard_normal(shape),
        "seed": np.nan,
        "verbose": -9,
        "verb_log": 0,
        "tolflatfitness": evaluations,
    }
    point = torch.nn.functional.pad(basis @ start / scale, (0, dimensions - len(basis))).double().numpy()
    search = cma.CMAEvolutionStrategy(point, WIDE if price is None else NEAR / dimensions**0.5, options)
    found = [start]
    while not search.stop():
        points = search.ask()
        weights = torch.from_numpy(np.stack([*points, search.mean])).float()[:, : len(basis)]
        signals = scale * weights @ basis
        pool = weigh(victim, signals, words)
        value = pool.worth(victim.jam_power) if price is None else pool.harms - price * pool.powers
        found += [signals[value[1:-1].argmax()], signals[-1]]
        search.tell(points, (-value[1:-1]).tolist())
    return torch.stack([found[0], *found[-2 * POPULATION :]])


def _basis(victim: Victim, words: Words, each: int) -> Tensor:
    """``(d, n)``, orthonormal rows: all signals, or the span of the shapes that harm most."""
    n = victim.codec.n
    if n <= MOST_DIMENSIONS:
        return torch.eye(n)
    directions = torch.cat(families(victim, each))
    levels = few_powers(victim)
    pool = weigh(victim, scaled(directions, levels), words)
    worth = pool.worth(victim.jam_power)[1:].view(len(directions), -1).amax(1)
    best = directions[worth.argsort(descending=True, stable=True)[:MOST_DIMENSIONS]]
    return torch.linalg.svd(best.double(), full_matrices=False).Vh.float()
