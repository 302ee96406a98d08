"""What words meet under a policy: signals, each with its share, so that their harms so weighed are the policy's."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from channels import Policy, PulsedPolicy
from jscc_sim.attack.timesharing import TimeSharing
from jscc_sim.attack.victim import Victim, Words


class Strike(NamedTuple):
    """The ``share`` of the time that words meet the signals ``z (words, n)``, and what is received, ``y``.

    Strikes of one ``stratum`` are draws of the same law. Those of two are not, and one says nothing of the other.
    """

    share: float
    z: Tensor
    y: Tensor
    stratum: int


def strikes(victim: Victim, policy: Policy | None, words: Words, draws: int) -> Iterator[Strike]:
    """What the words may meet, with shares that add up to one: the mean is the policy's, the variance is less.

    Each word meets every signal of a `TimeSharing`, and of a policy that draws its signals so many ``draws``. Pulses
    that miss the whole word are one silence, which has its exact share.
    """
    if policy is None:
        yield Strike(1.0, torch.zeros_like(words.x), words.heard, 0)
        return
    for share, signal, stratum in _signals(policy, words, draws):
        z = (victim.jam_power**0.5 * signal).to(words.x)
        yield Strike(share, z.expand_as(words.x), words.heard + z, stratum)


def _signals(policy: Policy, words: Words, draws: int) -> Iterator[tuple[float, Tensor, int]]:
    """Shares, signals of power one, for all words or for each, and strata: of one law each."""
    if isinstance(policy, TimeSharing):
        for stratum, (share, signal) in enumerate(zip(policy.shares.tolist(), policy.signals, strict=True)):
            yield share, signal, stratum
    elif isinstance(policy, PulsedPolicy):
        struck = 1 - (1 - policy.duty) ** words.x.shape[-1]
        if struck < 1:
            yield 1 - struck, torch.zeros_like(words.x), 1
        for _ in range(draws):
            yield struck / draws, _pulses(policy.duty, words.x), 0
    else:
        for _ in range(draws):
            yield 1 / draws, policy(words.x, words.u), 0


def _pulses(duty: float, x: Tensor) -> Tensor:
    """A signal of `PulsedPolicy` for each word, given that it hits the word at all."""
    n, log_miss = x.shape[-1], torch.log1p(torch.tensor(-duty, dtype=torch.float64))
    reached = torch.rand(*x.shape[:-1], 1, dtype=torch.float64) * -torch.expm1(n * log_miss)
    # The first hit is geometric, given that it falls within the word; later ones are independent.
    first = (torch.log1p(-reached) / log_miss).floor().clamp(0, n - 1)
    place = torch.arange(n)
    hit = torch.rand(x.shape, dtype=torch.float64) < duty
    on = (place == first) | ((place > first) & hit)
    return torch.randn_like(x) * on / math.sqrt(duty)
