"""The jammer: an adversary that adds a signal of limited power."""

import copy
import inspect
import math
from typing import Self

import torch
from torch import Tensor, nn

from channels.awgn import AWGN
from channels.base import Channel, Draw, Received
from channels.learned import NeuralPolicy, PerSymbolPolicy
from channels.policies import Policy
from channels.power import UnitPower, checked_power, from_decibels

# A policy's own word about its power stands unless this many symbols contradict it by six standard errors.
CHECKED_SYMBOLS = 2**20
CONTRADICTION = 6.0
# Where it says nothing, so many symbols bring the power to within about 0.05 %.
MEASURED_SYMBOLS = 2**23
# The share of a quadrature's power that may lie beyond its points for it to be believed.
MISSED = 0.01


class Jammer(Channel):
    """``y = x + √jam_power · a + z``, with ``E[a²] = 1`` and ``z ~ N(0, noise_power)``, all powers per real symbol.

    ``a`` may be shaped by any module, as ``policy(x, u)`` or ``policy(x)``. The channel holds it to its budget: over
    the batch in training, in evaluation by a frozen power, which is what the policy says of itself unless a measurement
    contradicts it (see `measure_power`). After training a policy, `calibrate` asks for it anew.
    """

    alphabet = output = "real"
    knob = "snr_db"

    def __init__(self, policy: nn.Module, noise_power: float, jam_power: float = 1.0) -> None:
        super().__init__()
        self.policy = policy
        self.noise_power = checked_power("noise_power", noise_power)
        self.jam_power = checked_power("jam_power", jam_power)
        self.unit = UnitPower()
        self.calibrate()

    def calibrate(self) -> None:
        """Freeze the power of the policy as it says it is now, if it says."""
        power = self._claim()
        if power is not None:
            self.unit.freeze(power)

    def _claim(self) -> float | None:
        power = self.policy.power() if isinstance(self.policy, Policy) else None
        return None if power is None else float(power)

    @torch.no_grad()
    def measure_power(self, draw: Draw) -> None:
        """Freeze the power that the policy truly has over the words of ``draw``, where its own word does not hold.

        What was frozen before does not matter, so that the power depends on policy and words alone. This library's own
        formulas and quadratures are believed: rare pulses may not show in any measurement. A policy whose law changes
        from call to call is beyond it: only one that always does the same is held to its budget. ValueError
        if it is silent.
        """
        claim = self._claim()
        if claim is not None and is_believed(self.policy, claim):
            self.unit.freeze(claim)
            return
        if claim is not None:
            mean, error = self._measured(draw, CHECKED_SYMBOLS)
            if abs(mean - claim) <= CONTRADICTION * error + 1e-6 * mean:
                self.unit.freeze(claim)
                return
        power, _ = self._measured(draw, MEASURED_SYMBOLS)
        if power == 0:
            raise ValueError(f"the policy {self.policy} is silent on all words of this codec: it jams nothing")
        self.unit.freeze(power)

    def _measured(self, draw: Draw, symbols: int) -> tuple[float, float]:
        """``E[a²]`` with its standard error over words."""
        powers: list[Tensor] = []
        while symbols > 0:
            x, u = draw()
            symbols -= x.numel()
            powers.append(self.raw(x, u).double().square().mean(-1).flatten())
        power = torch.cat(powers)
        return float(power.mean()), float(power.std()) / math.sqrt(power.numel())

    @property
    def playing(self) -> nn.Module:
        """The policy at these powers."""
        if isinstance(self.policy, Policy):
            return self.policy.facing(self.jam_power, self.noise_power)
        return self.policy

    def at(self, level: float) -> Self:
        """The same jammer at SNR ``level`` dB for signals of unit power."""
        other = copy.copy(self)
        # It shares the policy, but what is measured at one level must not depend on what was measured at another.
        other._modules = {"policy": self.policy, "unit": copy.deepcopy(self.unit)}
        other.noise_power = from_decibels(-level)
        return other

    @property
    def nominal(self) -> AWGN:
        """Gaussian noise of the total power, less what a policy known to correlate with the signal takes of it."""
        taken = math.sqrt(self.jam_power) * float(getattr(self.playing, "correlation", 0.0))
        return AWGN(self.noise_power + self.jam_power - taken**2, 1 + taken)

    def limit(self, a: Tensor) -> Tensor:
        """The signal ``a (..., n)`` held to unit power."""
        return self.unit(a)

    def add(self, x: Tensor, a: Tensor) -> Tensor:
        """Jam ``x (..., n)`` with a signal ``a`` of unit power, and add nature's noise."""
        jammed = torch.add(x, a, alpha=math.sqrt(self.jam_power))
        return torch.add(jammed, torch.randn_like(x), alpha=math.sqrt(self.noise_power))

    def transmit(self, x: Tensor, u: Tensor | None = None) -> Received:
        """Jam ``x (..., n)`` with the policy's signal."""
        a = self.limit(self.raw(x, u))
        if not a.sum(dtype=torch.promote_types(a.dtype, torch.float32)).isfinite():
            raise FloatingPointError("the policy's signal is not finite, so that no budget holds it")
        return Received(self.add(x, a), self.nominal)

    def raw(self, x: Tensor, u: Tensor | None = None) -> Tensor:
        """The policy's signal ``(..., n)`` for the words ``x`` of ``u``, before its power is set."""
        a = answer(self.playing, x, u)
        if a.shape != x.shape:
            raise ValueError(f"the policy's signal has shape {tuple(a.shape)}, but the words {tuple(x.shape)}")
        return a

    def extra_repr(self) -> str:
        """Every parameter at full precision; the policy shows itself."""
        return f"noise_power={self.noise_power!r}, jam_power={self.jam_power!r}"


def is_believed(policy: nn.Module, power: float) -> bool:
    """Whether the ``power`` that a policy claims is a formula or a quadrature of this library that holds for any words.

    A quadrature is believed where nearly all of the power must lie within the points that it sees.
    """
    if type(policy) is PerSymbolPolicy:
        return is_believed(policy.policy, power)
    if type(policy) is NeuralPolicy:
        return policy.missed() <= MISSED * power
    return isinstance(policy, Policy) and policy.oblivious and type(policy).__module__ == Policy.__module__


def answer(policy: nn.Module, x: Tensor, u: Tensor | None = None) -> Tensor:
    """What a policy, or any module, makes of the words ``x`` of ``u``: ``policy(x, u)``, or ``policy(x)``."""
    signal: Tensor = policy(x, u) if _takes_source(policy) else policy(x)
    return signal


def _takes_source(policy: nn.Module) -> bool:
    """Whether a module is called as ``policy(x, u)``; a layer such as nn.Linear takes only ``x``."""
    if isinstance(policy, Policy):
        return True
    try:
        inspect.signature(policy.forward).bind(None, None)
    except TypeError:
        return False
    return True
