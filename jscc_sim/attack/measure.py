"""What a jammer does to a codec, measured on fresh words: its harm, block errors and power, each with its interval."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from channels import Policy
from jscc_sim.attack.effort import BLOCKS
from jscc_sim.attack.timesharing import TimeSharing
from jscc_sim.attack.victim import Victim, Words
from jscc_sim.tally import Estimate, Tally, mean

# Standard errors by which a jammer must be the worse one to be called so.
CLEAR = 2.0


@dataclass(frozen=True)
class Measured:
    """The mean stake, for bits the block error rate, and the power used per symbol."""

    harm: Estimate
    block_errors: Estimate | None
    power: float


@torch.no_grad()
def measure(victim: Victim, policy: Policy | None, block: int) -> Measured:
    """A jammer's policy, or none, on `BLOCKS` blocks of fresh words.

    Each word meets every signal of a `TimeSharing`, weighed by its share: the same mean with less variance.
    """
    harms, lost, power = [], [], 0.0
    for _ in range(BLOCKS):
        words = victim.draw(block)
        strikes = list(_strikes(victim, policy, words))
        harms.append(Tally.of(sum_shares((share, victim.stakes(words.u, y)) for share, _, y in strikes)))
        power += sum(share * float(z.double().square().mean()) for share, z, _ in strikes) / BLOCKS
        if victim.bits and victim.codec.k > 1:
            shared = ((share, victim.blocks_lost(words.u, y).double()) for share, _, y in strikes)
            lost.append(Tally.of(sum_shares(shared)))
    exact = None if policy is None else policy.power()
    used = power if exact is None else victim.jam_power * float(exact)
    return Measured(mean(harms), mean(lost) if lost else None, used)


@torch.no_grad()
def most_harmful(victim: Victim, policies: Sequence[Policy], words: Words) -> int:
    """Which of the policies harms these words most: the first, unless a later one does so beyond its standard error.

    So that among equals the first stays, and rare large pulses are not chosen for their luck.
    """
    best, most = 0, _stakes(victim, policies[0], words)
    for index, policy in enumerate(policies[1:], 1):
        stakes = _stakes(victim, policy, words)
        gained = stakes - most
        if float(gained.mean()) > CLEAR * float(gained.std()) / len(gained) ** 0.5:
            best, most = index, stakes
    return best


def _stakes(victim: Victim, policy: Policy, words: Words) -> Tensor:
    return sum_shares((share, victim.stakes(words.u, y)) for share, _, y in _strikes(victim, policy, words))


def _strikes(victim: Victim, policy: Policy | None, words: Words) -> Iterator[tuple[float, Tensor, Tensor]]:
    """What the words may meet: the share of it, the signal at full power, and what is received."""
    if policy is None:
        yield 1.0, torch.zeros_like(words.x), words.heard
    elif isinstance(policy, TimeSharing):
        for share, signal in zip(policy.shares.tolist(), policy.signals, strict=True):
            z = (victim.jam_power**0.5 * signal).to(words.x)
            yield share, z, words.heard + z
    else:
        z = victim.jam_power**0.5 * policy(words.x, words.u)
        yield 1.0, z, words.heard + z


def sum_shares(parts: Iterator[tuple[float, Tensor]]) -> Tensor:
    """``Σ share · scores``, ``(words,)``."""
    return torch.stack([share * scores for share, scores in parts]).sum(0)
