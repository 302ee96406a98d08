"""A budgeted adversary on binary words, behind the errors or erasures of nature."""

import copy
from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor

from channels.base import Channel, MemorylessChannel, Received


def steepest_flips(harm: Callable[[Tensor], Tensor], y: Tensor, flips: int) -> Tensor:
    """The signs ``(..., n)``, at most ``flips`` of them −1, that raise ``harm`` fastest to first order.

    Changing the sign of ``y_i`` moves it by ``−2 y_i``, so its promise is ``−2 y_i ∂harm/∂y_i``. Symbols that promise
    no gain stay, and so do erased ones (0), which have no sign to change.
    """
    with torch.enable_grad():
        seen = y.detach().requires_grad_()
        (slope,) = torch.autograd.grad(harm(seen).sum(), seen)
    return _flip_best((-2 * y * slope).detach(), flips)


def _flip_best(promise: Tensor, flips: int) -> Tensor:
    """Signs that are −1 at the ``flips`` largest positive entries of ``promise (..., n)``."""
    best = promise.topk(min(flips, promise.shape[-1]), dim=-1)
    return torch.ones_like(promise).scatter(-1, best.indices, torch.where(best.values > 0, -1.0, 1.0).to(promise))


class BitFlip(Channel):
    """``behind`` a binary channel, an adversary flips at most ``flips`` symbols of each word.

    If ``informed``, it sees the word after nature's errors or erasures and flips where it hurts; otherwise it sees only
    the word sent and its flips on erased symbols are lost. Told no `harm` (see `against`), it flips at random.
    """

    alphabet = "antipodal"
    flips: int
    informed: bool

    def __init__(self, behind: MemorylessChannel, flips: int, informed: bool = True) -> None:
        super().__init__()
        if behind.alphabet != "antipodal":
            raise ValueError(f"bit flips need a binary channel in front of them, got {behind}")
        if not (isinstance(flips, int) and flips >= 0):
            raise ValueError(f"flips must be a whole number, 0 or more, got {flips}")
        self.behind, self.flips, self.informed = behind, flips, informed
        self.knob = behind.knob
        self._harm: Callable[[Tensor], Tensor] | None = None

    def at(self, level: float) -> Self:
        """The same adversary behind nature at ``level``."""
        return type(self)(self.behind.at(level), self.flips, self.informed)

    @property
    def nominal(self) -> MemorylessChannel:
        """Nature alone: the receiver does not expect the adversary."""
        return self.behind.nominal

    def against(self, harm: Callable[[Tensor], Tensor]) -> Channel:
        """A copy whose adversary raises ``harm``."""
        armed = copy.copy(self)
        armed._harm = harm
        return armed

    def transmit(self, x: Tensor, u: Tensor | None = None) -> Received:
        """Nature first, then the flips."""
        y = self.behind(x)
        seen = y if self.informed else x
        signs = self._random(seen) if self._harm is None else steepest_flips(self._harm, seen, self.flips)
        return Received(y * signs, self.nominal)

    def _random(self, seen: Tensor) -> Tensor:
        return _flip_best((torch.rand_like(seen) + torch.finfo(seen.dtype).tiny) * seen.abs(), self.flips)

    def extra_repr(self) -> str:
        """Every parameter; nature shows itself."""
        return f"flips={self.flips}, informed={self.informed}"
