"""L, what any codec can do against an oblivious jammer: which bound of its entropy applies."""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from channels import GaussianPolicy, Jammer, NeuralPolicy
from jscc_sim.certificates.bound import Bound
from jscc_sim.certificates.exact_entropy import LAWS, Array, exact_bound
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
from jscc_sim.certificates.signals import is_known, missed_power, scalar_batches, signals, single, why_unbounded
from jscc_sim.certificates.stakes import Stakes

# Words to a batch where their lengths say all.
RADIAL_WORDS = 2**14
# Of the sampled power, the largest share of one sample and the largest standard error, for a proof.
LARGEST_SHARE, LARGEST_ERROR = 0.01, 0.05


@dataclass(frozen=True)
class Lower:
    """A proved bound or the reason why there is none, and what some codec was found to reach.

    ``unproved`` is a bound of which only the assumption of the reason is missing: it says nothing of any codec.
    ``null`` is what the same bound, from as many samples, says of a Gaussian jammer, where these are too few for J*.
    ``oblivious`` is false for a jammer that sees signal or source, so that no bound is about it.
    """

    proved: Bound | None
    reason: str | None = None
    found: Bound | None = None
    unproved: Bound | None = None
    null: float | None = None
    oblivious: bool = True


def lower(stakes: Stakes, pool: int = POOL) -> Lower:
    """Bounds for all codecs of any block length, at the stated confidence; ``pool`` is K where words are bounded whole.

    ``D ≥ e^{2h(W)/k}/2πe/(1 + E Z² + N)`` per symbol. With independent symbols the word's bound is that of one symbol.
    A policy that says ``rotated`` of itself turns each word at random, so that the lengths of its words are its law.
    Proved only for policies of this library, see `signals.is_known`, and samples that show their power, see `_unsure`.
    """
    jammer = stakes.jammer
    reason = why_unbounded(jammer, stakes.k)
    if reason:
        return Lower(None, reason, oblivious=False)
    alone = single(jammer, stakes.k)
    if alone is not None and is_known(jammer.playing) and type(alone) in LAWS:
        spent = stakes.jam_power / float(jammer.unit.power)
        value = _value(stakes, exact_bound(alone, spent, stakes.noise_power))
        return Lower(Bound(value, True, "entropy of the exact law, by quadrature"), None, _best_receiver(stakes, alone))
    limit, powers, how = _sampled(stakes, alone, pool)
    missed = missed_power(jammer, jammer.playing if alone is None else alone)
    limit -= missed / (1 + stakes.jam_power + stakes.noise_power)
    judged = _judged(stakes, limit, how, _unsure(jammer.playing, powers), alone)
    return replace(judged, null=_null(stakes, alone, pool))


def _null(stakes: Stakes, alone: nn.Module | None, pool: int) -> float | None:
    """The bound of as many Gaussian latents, or of a pool of as many Gaussian words; None where it would be J*."""
    latents = _latents(stakes, alone)
    if latents is None and (alone is not None or getattr(stakes.jammer.playing, "rotated", False)):
        return None
    law = GaussianPolicy() if latents is None else LatentPolicy(torch.randn_like(latents))
    gaussian = replace(stakes, jammer=Jammer(law, stakes.noise_power, stakes.jam_power).eval())
    return _value(stakes, _sampled(gaussian, None if alone is None else law, pool)[0])


def _latents(stakes: Stakes, alone: nn.Module | None) -> Tensor | None:
    """The finite set that the jammer's words, or its symbols, are drawn from, if they are."""
    policy = alone if isinstance(alone, LatentPolicy) else stakes.jammer.playing
    return policy.latents if isinstance(policy, LatentPolicy) else None


def _sampled(stakes: Stakes, alone: nn.Module | None, pool: int) -> tuple[float, Array, str]:
    """The exponent of the bound from samples, the powers of these, and how it was come by."""
    jammer, powers, k = stakes.jammer, (stakes.jam_power, stakes.noise_power), stakes.k
    if alone is not None:
        words = WORDS if type(alone) is NeuralPolicy else PLAIN_WORDS
        scalars = list(scalar_batches(jammer, alone, BATCHES, words))
        how = f"entropy of {BATCHES} batches of {words} samples"
        return scalar_bound(scalars, *powers)[1], np.concatenate(scalars) ** 2, how
    policy = jammer.playing
    if getattr(policy, "rotated", False):
        drawn = (signals(jammer, policy, RADIAL_WORDS, k).double() for _ in range(BATCHES))
        lengths = [batch.norm(dim=1).numpy() for batch in drawn]
        how = f"entropy of {BATCHES} batches of {RADIAL_WORDS} lengths"
        return radial_bound(lengths, k, *powers)[1], np.concatenate(lengths) ** 2, how
    outer, inner = signals(jammer, policy, OUTER, k), signals(jammer, policy, pool, k)
    both = np.concatenate([words.double().square().sum(1).numpy() for words in (outer, inner)])
    return pool_bound(outer, inner, *powers)[1], both, f"entropy of {OUTER} samples among {pool}, loose for long words"


def _unsure(policy: nn.Module, powers: Array) -> str | None:
    """Why a bound from samples of these ``powers (m,)`` is no proof, or None."""
    if not is_known(policy):
        return "if it looks at nothing and its words are independent"
    share, mean = float(powers.max()) / max(float(powers.sum()), 1e-300), max(float(powers.mean()), 1e-300)
    error = float(powers.std()) / mean / math.sqrt(len(powers))
    if share <= LARGEST_SHARE and error <= LARGEST_ERROR:
        return None
    return f"if its tails are seen: one sample has {share:.1%} of the power, known to {error:.1%}"


def _judged(stakes: Stakes, exponent: float, how: str, unsure: str | None, alone: nn.Module | None) -> Lower:
    policy, value, latents = stakes.jammer.playing, _value(stakes, exponent), _latents(stakes, alone)
    law = "" if latents is None else f", of the law of these {len(latents)} latents alone"
    how = f"{how}{law}, at {CONFIDENCE:.0%} confidence"
    if unsure:
        reason = f"a bound of the jammer's {type(policy).__name__} holds only {unsure}"
        return Lower(None, reason, unproved=Bound(value, False, how))
    return Lower(Bound(value, True, how), None, _best_receiver(stakes, alone) if alone is not None else None)


def _value(stakes: Stakes, exponent: float) -> float:
    return math.exp(exponent) / (2 * math.pi * math.e) / stakes.value


def _best_receiver(stakes: Stakes, policy: nn.Module) -> Bound:
    """The error of plain sending, ``x = u``, with the best receiver for this jammer: a codec that does exist."""
    sample = np.concatenate(list(scalar_batches(stakes.jammer, policy, 4, PLAIN_WORDS)))
    value = density(sample, stakes.noise_power).least_error() / stakes.value
    return Bound(value, False, "plain sending with the best receiver")
