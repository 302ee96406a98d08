"""Signals, what each costs and how much it harms; and the best time sharing of them, with the price of power."""

from dataclasses import dataclass

import torch
from torch import Tensor

from jscc_sim.attack.effort import strongest
from jscc_sim.attack.timesharing import TimeSharing
from jscc_sim.attack.victim import Victim, Words
from jscc_sim.theory.certificates import Chord, best_chord

# Signals within 8 degrees of each other and a factor 2 in power are one signal.
ALIKE = 0.99
# Shares and signals are rounded down by this, so that no budget is passed by rounding.
MARGIN = 1e-12


@dataclass(frozen=True, eq=False)
class Pool:
    """``signals (m, n)``, the first of them silence, with ``powers (m,)`` per symbol and ``harms (m,)``, float64."""

    signals: Tensor
    powers: Tensor
    harms: Tensor

    def best(self, jam_power: float) -> Chord:
        """The upper concave envelope of harm in power at ``jam_power``: the best pair on either side of it."""
        return best_chord(self.powers.numpy(), self.harms.numpy(), jam_power)

    def gains(self, jam_power: float) -> Tensor:
        """``φ − λ p``: what each signal is worth beyond its price."""
        return self.harms - self.best(jam_power).price * self.powers

    def worth(self, jam_power: float) -> Tensor:
        """The harm of each signal alone, in turns with silence where its power exceeds the budget."""
        return self.harms[0] + (jam_power / self.powers).clamp(max=1.0) * (self.harms - self.harms[0])

    def top(self, count: int, jam_power: float) -> list[int]:
        """Both signals of the best mixture, then those that gain most and are unlike the ones before."""
        best = self.best(jam_power)
        chosen = list(dict.fromkeys((best.second, best.first)))
        flat = torch.nn.functional.normalize(self.signals.double(), dim=1)
        for index in self.gains(jam_power).argsort(descending=True).tolist():
            if len(chosen) >= count:
                break
            near = (self.powers[chosen] / self.powers[index]).log2().abs() < 1
            if not (near & (flat[chosen] @ flat[index] > ALIKE)).any() and self.powers[index] > 0:
                chosen.append(index)
        return chosen

    def take(self, chosen: list[int]) -> Tensor:
        """Those signals."""
        return self.signals[chosen]

    def policy(self, jam_power: float) -> TimeSharing:
        """The best mixture as a policy of a jammer of that power."""
        best = self.best(jam_power)
        share = (1 - MARGIN) * best.share
        kept, shares = ([best.first, best.second], [1 - share, share]) if share else ([best.first], [1.0])
        signals = (1 - MARGIN) * self.signals[kept].double() / jam_power**0.5
        return TimeSharing(signals, torch.tensor(shares, dtype=torch.float64))


def weigh(victim: Victim, signals: Tensor, words: Words) -> Pool:
    """The pool of silence and ``signals (m, n)``, none stronger than is searched, harms estimated on ``words``."""
    sizes = signals.square().mean(1, keepdim=True).sqrt()
    limited = signals * (strongest(victim.jam_power) ** 0.5 / sizes.clamp_min(1e-30)).clamp(max=1.0)
    silent = torch.cat([torch.zeros_like(signals[:1]), limited])
    silent = silent.to(words.heard.dtype)  # what is sent is what is paid for
    return Pool(silent, silent.double().square().mean(1), victim.harms(silent, words))
