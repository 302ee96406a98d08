"""What a jammer does to a codec: its harm, block errors and power, each with its interval, on words kept for this."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from channels import Policy
from jscc_sim.attack.effort import BLOCKS, Effort
from jscc_sim.attack.strata import added, combined, joined, stratified
from jscc_sim.attack.streams import measuring
from jscc_sim.attack.strikes import strikes
from jscc_sim.attack.victim import Victim, Words
from jscc_sim.seeds import seeded
from jscc_sim.tally import Estimate

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
            harms.append(stratified(met, partial(victim.stakes, words.u), rare=victim.bits))
            power += sum(strike.share * float(strike.z.double().square().mean()) for strike in met) / BLOCKS
            if victim.bits and victim.codec.k > 1:
                lost.append(stratified(met, partial(victim.blocks_lost, words.u), rare=True))
    exact = None if policy is None else policy.power()
    used = power if exact is None else victim.jam_power * float(exact)
    strata = joined(harms)
    means = torch.tensor([tally.total / tally.words for tally in added(strata)], dtype=torch.float64)
    return Measured(combined(strata), combined(joined(lost)) if lost else None, used, means)


def stakes_under(victim: Victim, policies: Sequence[Policy], words: Words, draws: int) -> Iterator[Tensor]:
    """``(words,)`` for each policy: the mean stake of each word; policies that draw signals all draw from one seed."""
    seed = int(torch.randint(2**31, (1,)))
    for policy in policies:
        with seeded(seed), torch.no_grad():
            met = strikes(victim, policy, words, draws)
            stakes = sum_shares((strike.share, victim.stakes(words.u, strike.y)) for strike in met)
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
