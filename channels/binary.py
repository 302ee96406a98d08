"""Binary channels on antipodal symbols: bit 0 is +1, bit 1 is −1, an erasure is 0."""

import math
from typing import Self

import torch
from torch import Tensor

from channels.base import MemorylessChannel, Received

# Log-likelihood ratios stop at the odds 1e12, so that 0·∞ never arises.
RAREST = 1e-12


def checked_probability(name: str, probability: float) -> float:
    """``probability`` itself, or a ValueError that names it unless it lies in [0, 1]."""
    if not 0 <= probability <= 1:
        raise ValueError(f"{name} must lie in [0, 1], got {probability}")
    return float(probability)


def gaps(uniform: Tensor, probability: float) -> Tensor:
    """How many symbols are passed over before the next event: ``⌊log(1 − v)/log(1 − p)⌋`` of uniform ``v`` in [0, 1).

    That is geometric. With ``v`` in float64 the chance of an event stays right to a relative 2⁻⁵³/p.
    """
    return torch.log1p(-uniform).div_(math.log1p(-probability)).floor_()


def events(probability: float, count: int, device: torch.device) -> Tensor:
    """The positions, among ``count``, where an event of ``probability`` below 1 happened, each independently.

    Drawn by the gaps between them, so that rare events cost little.
    """
    if probability == 0:
        return torch.empty(0, dtype=torch.int64, device=device)
    mean = count * probability
    enough = int(mean + 5 * math.sqrt(mean)) + 8
    found, last = [], -1
    while last < count:
        uniform = torch.rand(enough, dtype=torch.float64, device=device)
        steps = gaps(uniform, probability).clamp_(max=count).add_(1)
        found.append(steps.cumsum_(0).add_(last))
        last = int(found[-1][-1])
    positions = torch.cat(found) if len(found) > 1 else found[0]
    return positions[: int(torch.searchsorted(positions, count))].long()


def factors(x: Tensor, probability: float, factor: float) -> Tensor:
    """One number for each symbol of ``x``: ``factor`` with ``probability``, otherwise 1."""
    if not x.is_floating_point():
        raise TypeError(
            f"binary channels carry antipodal symbols as floats (bit 0 is +1., bit 1 is −1.), got {x.dtype}"
        )
    common, rare = (1.0, factor) if probability <= 0.5 else (factor, 1.0)
    drawn = torch.full((x.numel(),), common, dtype=x.dtype, device=x.device)
    drawn.index_fill_(0, events(min(probability, 1 - probability), x.numel(), x.device), rare)
    return drawn.view(x.shape)


def flipped(x: Tensor, signs: Tensor, chance: float | Tensor) -> Tensor:
    """``signs · x``, each −1 with its ``chance``; its gradient is that of the mean received, ``(1 − 2 chance) x``.

    That of the draw is turned round with each flip: of the same mean where losses are linear in a symbol, but of far
    more variance.
    """
    y = x * signs
    return y.detach() + (1 - 2 * chance) * (x - x.detach()) if x.requires_grad else y


def log(probability: float) -> float:
    """The logarithm, ``−∞`` at 0."""
    return math.log(probability) if probability > 0 else -math.inf


def log_other(probability: float) -> float:
    """``log(1 − p)``, ``−∞`` at 1; precise where p is small."""
    return math.log1p(-probability) if probability < 1 else -math.inf


def log_odds(probability: float) -> float:
    """``log (1 − p)/p``, within ±log 1e12."""
    likely = min(max(probability, RAREST), 1 - RAREST)
    return math.log1p(-likely) - math.log(likely)


class BSC(MemorylessChannel):
    """Binary symmetric channel: each symbol changes sign with probability ``flip``; an erased one (0) stays 0."""

    alphabet = output = "antipodal"
    knob = "flip"

    def __init__(self, flip: float) -> None:
        super().__init__()
        self.flip = checked_probability("flip", flip)

    def at(self, level: float) -> Self:
        """The channel at crossover probability ``level``."""
        return type(self)(level)

    def transmit(self, x: Tensor, u: Tensor | None = None) -> Received:
        """Flip signs of ``x (..., n)``; the gradient is that of the mean received symbol."""
        return Received(flipped(x, factors(x, self.flip, -1.0), self.flip), self)

    def log_prob(self, y: Tensor, x: Tensor) -> Tensor:
        """``log flip`` where the signs differ, ``log(1 − flip)`` where they agree."""
        agree, differ = torch.full_like(y, log_other(self.flip)), torch.full_like(y, log(self.flip))
        return torch.where(y == x, agree, differ)

    def llr(self, y: Tensor) -> Tensor:
        """``y · log((1 − flip)/flip)``: a line in y rather than a comparison, so that gradients reach y."""
        return y * log_odds(self.flip)

    def extra_repr(self) -> str:
        """Every parameter at full precision."""
        return f"flip={self.flip!r}"


class BEC(MemorylessChannel):
    """Binary erasure channel: each symbol becomes 0 with probability ``erase``."""

    alphabet = output = "antipodal"
    knob = "erase"

    def __init__(self, erase: float) -> None:
        super().__init__()
        self.erase = checked_probability("erase", erase)

    def at(self, level: float) -> Self:
        """The channel at erasure probability ``level``."""
        return type(self)(level)

    def transmit(self, x: Tensor, u: Tensor | None = None) -> Received:
        """Erase symbols of ``x (..., n)``."""
        return Received(x * factors(x, self.erase, 0.0), self)

    def log_prob(self, y: Tensor, x: Tensor) -> Tensor:
        """``log erase`` at an erasure, ``log(1 − erase)`` where the signs agree, −∞ where they differ."""
        kept, erased = torch.full_like(y, log_other(self.erase)), torch.full_like(y, log(self.erase))
        return torch.where(y == 0, erased, torch.where(y == x, kept, torch.full_like(y, -math.inf)))

    def llr(self, y: Tensor) -> Tensor:
        """``y · log 1e12``: certain where unerased, 0 at an erasure."""
        return y * -math.log(RAREST)

    def extra_repr(self) -> str:
        """Every parameter at full precision."""
        return f"erase={self.erase!r}"
