"""The regulariser's interface, for any training loop."""

import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn

from jscc_sim.gaussianity import latent_metrics
from jscc_sim.regularisers.processes import follow_first

# At these calls in training, and each time their number has doubled since, the latents' rank is looked at.
FIRST_LOOK = 64
# Directions with less than this share of the largest variance count as empty.
EMPTY = 1e-6


class Regulariser(nn.Module, ABC):
    """A penalty on latents ``z (batch, d)``, to be added to a reconstruction loss::

    z = reg.norm(encoder(x))
    loss = mse(decoder(z), x) + reg(z)

    Counted are the calls in training: over the first ``warmup`` of them the ``weight`` rises linearly from zero. The
    penalty is computed in float32 whatever the autocast, and its gradient reaches the latents alone. In several
    processes each weighs its own latents, and running statistics are those of the first, as in
    `DistributedDataParallel`; all must call it equally often. ``dim`` is the number of latents it was made for, if it
    does not take any. ``normaliser`` acts on the latents first; by default none does.
    """

    calls: Tensor

    def __init__(
        self, *, weight: float, warmup: int = 0, dim: int | None = None, normaliser: nn.Module | None = None
    ) -> None:
        super().__init__()
        if not (0 <= weight < math.inf and warmup >= 0):
            raise ValueError(f"weight and warmup must be 0 or more, and finite, got {weight} and {warmup}")
        self.weight, self.warmup, self.dim = weight, warmup, dim
        self.normaliser = normaliser or nn.Identity()
        self.register_buffer("calls", torch.tensor(0))
        self._told = False

    def width(self, d: int) -> int:
        """How many numbers the encoder must give for ``d`` latents."""
        return d

    def norm(self, z: Tensor) -> Tensor:
        """The latent ``(batch, d)`` that decoder and penalty must see; the saved model holds its statistics."""
        return self.normaliser(z)

    def draw(self, z: Tensor) -> Tensor:
        """The latent ``(batch, d)`` whose law is to be the prior: that of ``norm``, unless it leaves noise out."""
        return self.norm(z)

    @property
    def found_weight(self) -> float:
        """The weight in use: the given one, or the one that was found in training."""
        return self.weight

    @abstractmethod
    def penalty(self, z: Tensor) -> Tensor:
        """The penalty of normalised latents ``z (batch, d)``, a scalar, before it is weighed."""

    def forward(self, z: Tensor) -> Tensor:
        """The weighted penalty, a scalar, of normalised latents ``z (batch, d)``."""
        if z.ndim != 2 or len(z) < 2:
            raise ValueError(f"latents have shape (batch, d), at least two to a batch, got {tuple(z.shape)}")
        self.check(z)
        with torch.autocast(z.device.type, enabled=False):
            penalty = self.penalty(z.to(torch.promote_types(z.dtype, torch.float32)))
        share = 1.0
        if self.training and torch.is_grad_enabled():
            self.calls += 1
            follow_first(self.buffers())
            self._look(z.detach())
            share = min(1.0, float(self.calls) / self.warmup) if self.warmup else 1.0
        return self.weight * share * penalty

    def check(self, z: Tensor) -> None:
        """ValueError if these are not as many latents as it was made for, FloatingPointError if they are not finite."""
        if self.dim is not None and z.shape[-1] != self.dim:
            name = type(self).__name__
            raise ValueError(
                f"this {name} was made for {self.dim} latents, got {z.shape[-1]}: make it for {z.shape[-1]}"
            )
        if not z.isfinite().all():  # before a player learns from them what it cannot forget
            raise FloatingPointError("this batch has NaN or infinite latents: lower the learning rate")

    def _look(self, z: Tensor) -> None:
        """Warn, once, of latents that leave a direction empty."""
        calls, (count, d) = int(self.calls), z.shape
        if self._told or calls < FIRST_LOOK or calls & (calls - 1) or count <= d:
            return
        variances = torch.linalg.eigvalsh(torch.cov(z.double().T).reshape(d, d))
        if empty := int((variances < EMPTY * variances[-1]).sum()):
            self._told = True
            remedy = "fewer latents, more noise, a longer warm-up or a lower learning rate"
            warnings.warn(f"{empty} of {d} latents' directions are empty in this batch: {remedy}", stacklevel=3)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Statistics and players stay in float32 at least, like the penalty, when a model is cast to halves."""

        def kept(tensor: Tensor) -> Tensor:
            moved = fn(tensor)
            return moved.float() if moved.is_floating_point() and moved.itemsize < 4 else moved

        nn.Module._apply(self, kept, recurse)
        return self

    def metrics(self, z: Tensor) -> dict[str, float]:
        """Distances of normalised latents ``z (count, d)`` from N(0, I), each beside that of a true Gaussian sample.

        From N(0, I) also if they are to follow another prior: map them to Gaussian ones first.
        """
        return latent_metrics(z.detach().double().cpu().numpy())


def check_sizes(**sizes: int) -> None:
    """ValueError that names the size of a net that is not at least 1."""
    for name, size in sizes.items():
        if not size >= 1:
            raise ValueError(f"{name} must be at least 1, got {size}")
