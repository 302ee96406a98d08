"""The regulariser's interface, for any training loop."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from jscc_sim.gaussianity import latent_metrics
from jscc_sim.regularisers.processes import follow_first


class Regulariser(nn.Module, ABC):
    """A penalty on latents ``z (batch, d)``, to be added to a reconstruction loss::

    z = reg.norm(encoder(x))
    loss = mse(decoder(z), x) + reg(z)

    Counted are the calls in training: over the first ``warmup`` of them the ``weight`` rises linearly from zero. The
    penalty is computed in float32 whatever the autocast, and its gradient reaches the latents alone. In several
    processes each weighs its own latents, and running statistics are those of the first, as in
    `DistributedDataParallel`; all must call it equally often.
    """

    calls: Tensor

    def __init__(self, *, weight: float, warmup: int = 0) -> None:
        super().__init__()
        if not (weight >= 0 and warmup >= 0):
            raise ValueError(f"weight and warmup must be 0 or more, got {weight} and {warmup}")
        self.weight, self.warmup = weight, warmup
        self.register_buffer("calls", torch.tensor(0))

    def width(self, d: int) -> int:
        """How many numbers the encoder must give for ``d`` latents."""
        return d

    @abstractmethod
    def norm(self, z: Tensor) -> Tensor:
        """The latent ``(batch, d)`` that decoder and penalty must see; the saved model holds its statistics."""

    @abstractmethod
    def penalty(self, z: Tensor) -> Tensor:
        """The penalty of normalised latents ``z (batch, d)``, a scalar, before it is weighed."""

    def forward(self, z: Tensor) -> Tensor:
        """The weighted penalty, a scalar, of normalised latents ``z (batch, d)``."""
        if z.ndim != 2 or len(z) < 2:
            raise ValueError(f"latents have shape (batch, d), at least two to a batch, got {tuple(z.shape)}")
        if not z.isfinite().all():  # before a player learns from them what it cannot forget
            raise FloatingPointError("this batch has NaN or infinite latents: lower the learning rate")
        with torch.autocast(z.device.type, enabled=False):
            penalty = self.penalty(z.to(torch.promote_types(z.dtype, torch.float32)))
        share = 1.0
        if self.training and torch.is_grad_enabled():
            self.calls += 1
            follow_first(self.buffers())
            share = min(1.0, float(self.calls) / self.warmup) if self.warmup else 1.0
        return self.weight * share * penalty

    def metrics(self, z: Tensor) -> dict[str, float]:
        """Distances of normalised latents ``z (count, d)`` from N(0, I), each beside that of a true Gaussian sample."""
        return latent_metrics(z.detach().double().cpu().numpy())
