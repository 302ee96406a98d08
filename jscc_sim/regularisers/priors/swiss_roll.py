"""The Swiss roll: a spiral in the plane, with labels along it."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from jscc_sim.regularisers.priors.base import Prior
from jscc_sim.regularisers.priors.marginals import Uniform

UNIT = Uniform()


@dataclass(frozen=True)
class SwissRoll(Prior):
    """Blocks of two coordinates on a spiral of ``turns`` that ends at ``radius``, blurred across by ``deviation``.

    The first Gaussian coordinate becomes the place along the spiral, ``u = Φ(v_1)`` uniform, at radius ``radius √u``
    and angle ``2π turns √u``; the second moves it across. The prior of figure 4 of Makhzani et al. (2016), as its
    public re-implementations draw it; they have no blur, without which no law of two coordinates has a density. The map
    can be undone but for points nearer to another turn, and for those beyond the inner end.
    """

    turns: float = 2.0
    radius: float = 3.0
    deviation: float = 0.1

    width = 2

    def __post_init__(self) -> None:
        if not (self.turns > 0 and self.radius > 0 and self.deviation > 0):
            raise ValueError(f"turns, radius and deviation must be positive, got {self!r}")

    def from_gaussian(self, v: Tensor) -> Tensor:
        """Along and across the spiral, shape as ``v``."""
        along, across = self.blocks(v).unbind(-1)
        share = UNIT.from_gaussian(along).clamp_min(torch.finfo(v.dtype).tiny).sqrt()
        angle, length = 2 * math.pi * self.turns * share, self.radius * share + self.deviation * across
        return torch.stack((length * angle.cos(), length * angle.sin()), -1).flatten(-2)

    def to_gaussian(self, z: Tensor) -> Tensor:
        """By the nearest turn, shape as ``z``."""
        words = self.blocks(z)
        lengths = words.norm(dim=-1)
        angle = torch.atan2(words[..., 1], words[..., 0]) % (2 * math.pi) / (2 * math.pi)
        turn = (lengths * self.turns / self.radius - angle).round().clamp_min(0)
        # Of the last turn no more exists than the spiral has.
        turn = turn.clamp_max((self.turns - angle.detach()).floor().clamp_min(0))
        share = (angle + turn) / self.turns
        across = (lengths - self.radius * share) / self.deviation
        return torch.stack((UNIT.to_gaussian(share.square()), across), -1).flatten(-2)

    def labelled(self, count: int, labels: int = 10) -> tuple[Tensor, Tensor]:
        """``count`` words of one block, ``(count, 2)``, and in which of ``labels`` equal shares each lies."""
        v = torch.randn(count, 2)
        return self.from_gaussian(v), (UNIT.from_gaussian(v[:, 0]) * labels).long().clamp_max(labels - 1)
