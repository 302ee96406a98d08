"""Signals, what each costs and how much it harms; and the best time sharing of them, with the price of power."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from jscc_sim.attack.effort import strongest
from jscc_sim.attack.timesharing import TimeSharing
from jscc_sim.attack.victim import Victim, Words

# Signals within 8 degrees of each other and a factor 2 in power are one signal.
ALIKE = 0.99
# Shares and signals are rounded down by this, so that no budget is passed by rounding.
MARGIN = 1e-12


class Mixture(NamedTuple):
    """Signal ``high`` with probability ``share``, else ``low``: their ``harm``, and what a unit of power is worth."""

    low: int
    high: int
    share: float
    harm: float
    price: float


@dataclass(frozen=True, eq=False)
class Pool:
    """``signals (m, n)``, the first of them silence, with ``powers (m,)`` per symbol and ``harms (m,)``, float64."""

    signals: Tensor
    powers: Tensor
    harms: Tensor

    def best(self, jam_power: float) -> Mixture:
        """The upper concave envelope of harm in power at ``jam_power``: the best pair on either side of it.

        Its value is that of `theory.certificates.worst_payoff`; the price is the λ of that dual.
        """
        within = (self.powers <= jam_power).nonzero().squeeze(1)
        beyond = (self.powers > jam_power).nonzero().squeeze(1)
        steady = int(within[self.harms[within].argmax()])
        best = Mixture(steady, steady, 0.0, float(self.harms[steady]), 0.0)
        if not len(beyond):
            return best
        low, high = self.powers[within].unsqueeze(1), self.powers[beyond]
        slopes = (self.harms[beyond] - self.harms[within].unsqueeze(1)) / (high - low)
        values = self.harms[within].unsqueeze(1) + slopes * (jam_power - low)
        row, column = divmod(int(values.argmax()), len(beyond))
        if float(values[row, column]) <= best.harm:
            ahead = (self.harms[beyond] - best.harm) / (high - self.powers[steady])
            return best._replace(price=max(0.0, float(ahead.max())))
        bottom, top = int(within[row]), int(beyond[column])
        share = float((jam_power - self.powers[bottom]) / (self.powers[top] - self.powers[bottom])) * (1 - MARGIN)
        return Mixture(bottom, top, share, float(values[row, column]), float(slopes[row, column]))

    def gains(self, jam_power: float) -> Tensor:
        """``φ − λ p``: what each signal is worth beyond its price."""
        return self.harms - self.best(jam_power).price * self.powers

    def worth(self, jam_power: float) -> Tensor:
        """The harm of each signal alone, in turns with silence where its power exceeds the budget."""
        return self.harms[0] + (jam_power / self.powers).clamp(max=1.0) * (self.harms - self.harms[0])

    def top(self, count: int, jam_power: float) -> list[int]:
        """Both signals of the best mixture, then those that gain most and are unlike the ones before."""
        best = self.best(jam_power)
        chosen = list(dict.fromkeys((best.high, best.low)))
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

    def policy(self, mixture: Mixture, jam_power: float) -> TimeSharing:
        """The mixture as a policy of a jammer of that power."""
        shares = torch.tensor([1 - mixture.share, mixture.share], dtype=torch.float64)
        kept = [mixture.low, mixture.high] if mixture.share else [mixture.low]
        shares = shares[: len(kept)]
        return TimeSharing((1 - MARGIN) * self.signals[kept].double() / jam_power**0.5, shares)


def weigh(victim: Victim, signals: Tensor, words: Words) -> Pool:
    """The pool of silence and ``signals (m, n)``, none stronger than is searched, harms estimated on ``words``."""
    sizes = signals.square().mean(1, keepdim=True).sqrt()
    limited = signals * (strongest(victim.jam_power) ** 0.5 / sizes.clamp_min(1e-30)).clamp(max=1.0)
    silent = torch.cat([torch.zeros_like(signals[:1]), limited])
    silent = silent.to(words.heard.dtype)  # what is sent is what is paid for
    return Pool(silent, silent.double().square().mean(1), victim.harms(silent, words))
