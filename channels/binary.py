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


def happens(probability: float, x: Tensor) -> Tensor:
    """A mask like ``x``, true with ``probability``; in float64, because float32 has only 24 bits of a probability."""
    return torch.rand(x.shape, dtype=torch.float64, device=x.device) < probability


class BSC(MemorylessChannel):
    """Binary symmetric channel: each symbol changes sign with probability ``flip``."""

    alphabet = "antipodal"
    knob = "flip"

    def __init__(self, flip: float) -> None:
        super().__init__()
        self.flip = checked_probability("flip", flip)
        likely = min(max(self.flip, RAREST), 1 - RAREST)
        self.llr_size = math.log1p(-likely) - math.log(likely)

    def at(self, level: float) -> Self:
        """The channel at crossover probability ``level``."""
        return type(self)(level)

    def transmit(self, x: Tensor, u: Tensor | None = None) -> Received:
        """Flip signs of ``x (..., n)``."""
        return Received(torch.where(happens(self.flip, x), -x, x), self)

    def log_prob(self, y: Tensor, x: Tensor) -> Tensor:
        """``log flip`` where the signs differ, ``log(1 − flip)`` where they agree."""
        agree = torch.full_like(y, math.log1p(-self.flip) if self.flip < 1 else -math.inf)
        differ = torch.full_like(y, math.log(self.flip) if self.flip > 0 else -math.inf)
        return torch.where(y == x, agree, differ)

    def llr(self, y: Tensor) -> Tensor:
        """``y · log((1 − flip)/flip)``: a line in y rather than a comparison, so that gradients reach y."""
        return y * self.llr_size

    def extra_repr(self) -> str:
        """Every parameter at full precision."""
        return f"flip={self.flip!r}"


class BEC(MemorylessChannel):
    """Binary erasure channel: each symbol becomes 0 with probability ``erase``."""

    alphabet = "antipodal"
    knob = "erase"

    def __init__(self, erase: float) -> None:
        super().__init__()
        self.erase = checked_probability("erase", erase)

    def at(self, level: float) -> Self:
        """The channel at erasure probability ``level``."""
        return type(self)(level)

    def transmit(self, x: Tensor, u: Tensor | None = None) -> Received:
        """Erase symbols of ``x (..., n)``."""
        return Received(torch.where(happens(self.erase, x), torch.zeros_like(x), x), self)

    def log_prob(self, y: Tensor, x: Tensor) -> Tensor:
        """``log erase`` at an erasure, ``log(1 − erase)`` where the signs agree, −∞ where they differ."""
        kept = torch.full_like(y, math.log1p(-self.erase) if self.erase < 1 else -math.inf)
        erased = torch.full_like(y, math.log(self.erase) if self.erase > 0 else -math.inf)
        return torch.where(y == 0, erased, torch.where(y == x, kept, torch.full_like(y, -math.inf)))

    def llr(self, y: Tensor) -> Tensor:
        """``y · log 1e12``: certain where unerased, 0 at an erasure."""
        return y * -math.log(RAREST)

    def extra_repr(self) -> str:
        """Every parameter at full precision."""
        return f"erase={self.erase!r}"
