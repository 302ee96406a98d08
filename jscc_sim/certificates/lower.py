"""L, what any codec can do against an oblivious jammer: which bound of its entropy applies."""

import math
from dataclasses import dataclass

import numpy as np
from torch import nn

from channels import NeuralPolicy
from jscc_sim.certificates.bound import Bound
from jscc_sim.certificates.latents import LatentPolicy
from jscc_sim.certificates.pool_entropy import OUTER, POOL, pool_bound
from jscc_sim.certificates.radial_entropy import radial_bound
from jscc_sim.certificates.scalar_entropy import (
    BATCHES,
    CONFIDENCE,
    PLAIN_WORDS,
    WORDS,
    density,
    scalar_bound,
)
from jscc_sim.certificates.signals import power_is_exact, scalar_batches, signals, single, why_unbounded
from jscc_sim.certificates.stakes import Stakes

# Words to a batch where their lengths say all.
RADIAL_WORDS = 2**14


@dataclass(frozen=True)
class Lower:
    """A proved bound or the reason why there is none, and what some codec was found to reach."""

    proved: Bound | None
    reason: str | None = None
    found: Bound | None = None


def lower(stakes: Stakes, pool: int = POOL) -> Lower:
    """Bounds for all codecs of any block length, at the stated confidence; ``pool`` is K where words are bounded whole.

    ``D ≥ e^{2h(W)/k}/2πe/(1 + E Z² + N)`` per symbol. With independent symbols the word's bound is that of one symbol.
    A policy that says ``rotated`` of itself turns each word at random, so that the lengths of its words are its law.
    """
    jammer, powers = stakes.jammer, (stakes.jam_power, stakes.noise_power)
    reason = why_unbounded(jammer, stakes.k)
    if reason:
        return Lower(None, reason)
    exact, alone = power_is_exact(jammer), single(jammer, stakes.k)
    if alone is not None:
        words = WORDS if type(alone) is NeuralPolicy else PLAIN_WORDS
        _, limit = scalar_bound(scalar_batches(jammer, alone, BATCHES, words), *powers, exact)
        how = f"entropy of {BATCHES} batches of {words} samples"
        return Lower(_bound(stakes, limit, how), None, _best_receiver(stakes, alone))
    policy = jammer.playing
    if getattr(policy, "rotated", False):
        batches = (signals(jammer, policy, RADIAL_WORDS, stakes.k).double() for _ in range(BATCHES))
        _, limit = radial_bound((batch.norm(dim=1).numpy() for batch in batches), stakes.k, *powers, exact)
        return Lower(_bound(stakes, limit, f"entropy of {BATCHES} batches of {RADIAL_WORDS} lengths"))
    outer, inner = signals(jammer, policy, OUTER, stakes.k), signals(jammer, policy, pool, stakes.k)
    _, limit = pool_bound(outer, inner, *powers, exact)
    return Lower(_bound(stakes, limit, f"entropy of {OUTER} samples among {pool}, loose for long words"))


def _bound(stakes: Stakes, exponent: float, how: str) -> Bound:
    value = math.exp(exponent) / (2 * math.pi * math.e) / stakes.value
    policy = stakes.jammer.playing
    law = f", of the law of these {len(policy.latents)} latents alone" if isinstance(policy, LatentPolicy) else ""
    return Bound(value, True, f"{how}{law}, at {CONFIDENCE:.0%} confidence")


def _best_receiver(stakes: Stakes, policy: nn.Module) -> Bound:
    """The error of plain sending, ``x = u``, with the best receiver for this jammer: a codec that does exist."""
    sample = np.concatenate(list(scalar_batches(stakes.jammer, policy, 4, PLAIN_WORDS)))
    value = density(sample, stakes.noise_power).least_error() / stakes.value
    return Bound(value, False, "plain sending with the best receiver")
