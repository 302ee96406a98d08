"""What a jammer does to a codec: its harm, block errors and power, each with its interval, on words kept for this."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from channels import Policy
from jscc_sim.attack.effort import BLOCKS, Effort
from jscc_sim.attack.streams import measuring
from jscc_sim.attack.strikes import strikes
from jscc_sim.attack.victim import Victim, Words
from jscc_sim.seeds import seeded
from jscc_sim.tally import Estimate, Tally, mean

# Standard errors by which a jammer must be the worse one to be called so.
CLEAR = 2.0


@dataclass(frozen=True)
class Measured:
    """The mean stake, for bits the block error rate, and the power used per symbol; the mean stake of each block too.

    The blocks are the same for all policies of an audit, so that two are compared block by block.
    """

    harm: Estimate
    block_errors: Estimate | None
    power: float
    blocks: Tensor


@torch.no_grad()
def measure(victim: Victim, effort: Effort, seed: int, policy: Policy | None) -> Measured:
    """A jammer's policy, or none, on `BLOCKS` blocks of words in noise: of a seed the same for every policy.

    So differences between policies are not those of their words. Whoever chooses a policy must not have seen these.
    """
    harms, lost, power = [], [], 0.0
    for block in range(BLOCKS):
        with seeded(measuring(seed, block)):
            words = victim.draw(effort.block)
            met = list(strikes(victim, policy, words, effort.draws))
            harms.append(Tally.of(sum_shares((share, victim.stakes(words.u, y)) for share, _, y in met)))
            power += sum(share * float(z.double().square().mean()) for share, z, _ in met) / BLOCKS
            if victim.bits and victim.codec.k > 1:
                shared = ((share, victim.blocks_lost(words.u, y).double()) for share, _, y in met)
                lost.append(Tally.of(sum_shares(shared)))
    exact = None if policy is None else policy.power()
    used = power if exact is None else victim.jam_power * float(exact)
    blocks = torch.tensor([tally.total / tally.words for tally in harms], dtype=torch.float64)
    return Measured(mean(harms), mean(lost) if lost else None, used, blocks)


def stakes_under(victim: Victim, policies: Sequence[Policy], words: Words, draws: int) -> Iterator[Tensor]:
    """``(words,)`` for each policy: the mean stake of each word; policies that draw signals all draw from one seed."""
    seed = int(torch.randint(2**31, (1,)))
    for policy in policies:
        with seeded(seed), torch.no_grad():
            met = strikes(victim, policy, words, draws)
            stakes = sum_shares((share, victim.stakes(words.u, y)) for share, _, y in met)
        yield stakes


def most_harmful(victim: Victim, policies: Sequence[Policy], words: Words, draws: int) -> int:
    """Which of the policies harms these words most: the first, unless a later one does so beyond its standard error.

    So that among equals the first stays, and rare large pulses are not chosen for their luck.
    """
    first, *others = stakes_under(victim, policies, words, draws)
    best, most = 0, first
    for index, stakes in enumerate(others, 1):
        if exceeds(stakes, most, CLEAR):
            best, most = index, stakes
    return best


def exceeds(stakes: Tensor, others: Tensor, errors: float) -> bool:
    """Whether the mean of the first is the larger by more than so many standard errors, pair by pair."""
    gained = stakes - others
    return float(gained.mean()) > errors * float(gained.std()) / len(gained) ** 0.5


def sum_shares(parts: Iterator[tuple[float, Tensor]]) -> Tensor:
    """``Σ share · scores``, ``(words,)``."""
    return torch.stack([share * scores for share, scores in parts]).sum(0)
