"""The prior's interface: a law of latents, as what a map makes of Gaussian noise."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class Prior(ABC):
    """The law of ``z = from_gaussian(v)``, ``v ~ N(0, I)``, with a map that can be differentiated and undone.

    So any prior is matched by the Gaussian game: the regulariser holds the encoder's output ``v`` to N(0, I), and the
    decoder sees ``z``::

        decoder = nn.Sequential(FromGaussian(prior), decoder)

    Where ``v`` is exactly Gaussian, ``z`` has exactly this law. A prior of blocks of ``width`` coordinates takes
    ``(..., d)`` for every multiple ``d``: the blocks are independent. First derivatives only.
    """

    width: int = 1

    @abstractmethod
    def from_gaussian(self, v: Tensor) -> Tensor:
        """``z (..., d)`` of this law for ``v (..., d)`` of N(0, I)."""

    @abstractmethod
    def to_gaussian(self, z: Tensor) -> Tensor:
        """``v (..., d)`` for ``z (..., d)``: N(0, I) where ``z`` has this law, so that metrics of ``v`` measure it."""

    def sample(self, count: int, d: int) -> Tensor:
        """``count`` latents of ``d`` coordinates, ``(count, d)``, from torch's generator."""
        return self.from_gaussian(torch.randn(count, d))

    def like(self, z: Tensor) -> Tensor:
        """Draws of the shape of ``z (..., d)``: what regularisers that compare latents with draws take as ``prior``."""
        return self.from_gaussian(torch.randn_like(z))

    def blocks(self, values: Tensor) -> Tensor:
        """``values (..., d)`` as ``(..., d / width, width)``."""
        if values.ndim < 1 or values.shape[-1] % self.width:
            raise ValueError(f"a prior of blocks of {self.width} cannot shape latents {tuple(values.shape)}")
        return values.unflatten(-1, (-1, self.width))


class FromGaussian(nn.Module):
    """A prior's map as the first layer of a decoder: the training loop stays as it is for N(0, I)."""

    def __init__(self, prior: Prior) -> None:
        super().__init__()
        self.prior = prior

    def forward(self, v: Tensor) -> Tensor:
        """``z (..., d)`` of the prior's law for ``v (..., d)`` of N(0, I)."""
        return self.prior.from_gaussian(v)

    def extra_repr(self) -> str:
        """The prior."""
        return repr(self.prior)
