"""Best responses that learn: jammers against a codec that is fixed, codecs against a jammer that is fixed."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Self

import torch
from torch import Tensor, nn

from channels import Channel, Jammer, MemorylessChannel, NeuralPolicy
from channels.base import Received
from jscc_sim.certificates.bound import Bound
from jscc_sim.certificates.harm import Harm
from jscc_sim.certificates.signals import single
from jscc_sim.certificates.stakes import Stakes
from jscc_sim.codecs import Codec, Linear, NeuralCodec, TailSafeCodec
from jscc_sim.link import Link
from jscc_sim.sources import Gaussian
from jscc_sim.train import Recipe, fit, imitate

JAMMERS = Recipe(steps=500, batch=512, lr=2e-3, averaging=0.98)
CODECS = Recipe(steps=600, batch=512, lr=3e-3, averaging=0.99)
TAUGHT = 150
# Symbols that the best of the learned responses is chosen on, and then measured on anew.
CHOSEN, MEASURED = 2**16, 2**18
HEAVY = 6.67  # the deviation of sinh(1.5 ξ)


def worst_learned(stakes: Stakes, recipe: Recipe = JAMMERS) -> Bound:
    """The worst of two jammers that learn against the codec, from a Gaussian start and from a heavy-tailed one.

    They learn against a copy, since training moves the powers that a codec has frozen, and are measured against the
    codec itself; so it is with `best_learned`.
    """
    codec = copy.deepcopy(stakes.codec).requires_grad_(False)
    harm, jammers = Harm(stakes, stakes.codec), []
    for heavy in (False, True):
        policy = NeuralPolicy(stakes.k)
        teach(policy, heavy=heavy)
        jammer = Jammer(policy, stakes.noise_power, stakes.jam_power)
        _learn(Link(Gaussian(stakes.k), codec, jammer), recipe)
        jammers.append(jammer)
    worst = max(jammers, key=lambda jammer: harm.against(jammer, CHOSEN // stakes.k))
    payoff, error = harm.against(worst, MEASURED // stakes.k)
    how = f"the worse of 2 jammers, {recipe.steps} steps each"
    return Bound(payoff / stakes.value, False, how, error=error / stakes.value)


def best_learned(stakes: Stakes, recipe: Recipe = CODECS) -> Bound:
    """The best of two codecs that learn against the jammer from scratch, one tail-safe and one free.

    Against independent symbols they are scalar codecs, to be shared by the symbols of a word.
    """
    alone = single(stakes.jammer, stakes.k)
    if alone is not None and stakes.k > 1:
        jammer = copy.deepcopy(stakes.jammer)
        jammer.policy = copy.deepcopy(alone)  # its power stays frozen as it was
        stakes = replace(stakes, codec=Linear(), jammer=jammer)
    resting = _AtRest(copy.deepcopy(stakes.jammer).requires_grad_(False))
    kinds: tuple[Callable[[int, int], Codec], ...] = (TailSafeCodec, NeuralCodec)
    codecs = []
    for kind in kinds:
        codec = kind(stakes.k, stakes.k)
        _learn(Link(Gaussian(stakes.k), codec, resting), recipe)
        codecs.append(Harm(stakes, codec))
    best = min(codecs, key=lambda harm: harm.against(stakes.jammer, CHOSEN // stakes.k))
    payoff, error = best.against(stakes.jammer, MEASURED // stakes.k)
    how = f"the better of 2 codecs, {recipe.steps} steps each"
    return Bound(payoff / stakes.value, False, how, error=error / stakes.value)


def teach(policy: NeuralPolicy, *, heavy: bool) -> None:
    """Let a policy imitate white noise, Gaussian or of heavy tails."""
    n = policy.n

    def law(noise: Tensor) -> Tensor:
        return torch.sinh(1.5 * noise[:, 2 * n : 3 * n]) / HEAVY if heavy else noise[:, :n]

    imitate(policy, law, TAUGHT, JAMMERS.batch, nn.functional.smooth_l1_loss)


class _AtRest(Channel):
    """A jammer that stays as it is while a codec learns: neither in training nor measured anew."""

    def __init__(self, jammer: Jammer) -> None:
        super().__init__()
        self.jammer = jammer.eval()
        self.alphabet, self.output, self.knob = jammer.alphabet, jammer.output, jammer.knob

    def train(self, mode: bool = True) -> Self:
        """Does nothing."""
        return self

    def at(self, level: float) -> Self:
        """At another level."""
        return type(self)(self.jammer.at(level))

    @property
    def nominal(self) -> MemorylessChannel:
        """What a receiver assumes of the jammer."""
        return self.jammer.nominal

    def transmit(self, x: Tensor, u: Tensor | None = None) -> Received:
        """Jam ``x``."""
        return self.jammer.transmit(x, u)


def _learn(link: Link, recipe: Recipe) -> None:
    with torch.enable_grad():
        for _ in fit(link, recipe):
            pass
