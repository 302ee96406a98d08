"""The adversarial autoencoder's penalty: a discriminator between latents and prior."""

import math
from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from jscc_sim.gaussianity import density_ratio
from jscc_sim.regularisers.base import Regulariser, check_sizes
from jscc_sim.regularisers.latent_power import LatentPower
from jscc_sim.regularisers.learner import CHASING, Learner
from jscc_sim.seeds import seeded


class AdversarialAE(Regulariser):
    """``−E log D(z) − log 2``, in nats: what a discriminator says of latents ``z (batch, d)``; 0 if it cannot tell.

    ``D(z)`` is the probability that ``z`` comes from the prior; the discriminator learns inside, ``updates`` steps of
    Adam per call in training, and the latents get its non-saturating loss (Makhzani et al., arXiv 1511.05644).
    ``discriminator`` is any module from latents ``(batch, d)`` to logits ``(batch, 1)``. ``prior`` returns draws of the
    shape of the latents it is given, such as ``KnotheRosenblatt.ring().like``. The ``normaliser`` holds the latents to
    unit power by default. Without a warm-up they collapse onto a line before the discriminator has learned anything.
    """

    def __init__(
        self,
        discriminator: nn.Module,
        *,
        weight: float = 0.006,
        warmup: int = 1000,
        updates: int = 2,
        lr: float = 5e-3,
        prior: Callable[[Tensor], Tensor] = torch.randn_like,
        normaliser: nn.Module | None = None,
        dim: int | None = None,
    ) -> None:
        super().__init__(weight=weight, warmup=warmup, dim=dim, normaliser=normaliser or LatentPower())
        self.learner = Learner(discriminator, updates=updates, lr=lr, betas=CHASING)
        self.prior = prior

    @classmethod
    def default(
        cls,
        dim: int,
        *,
        hidden: int = 128,
        weight: float = 0.006,
        warmup: int = 1000,
        updates: int = 2,
        lr: float = 5e-3,
    ) -> Self:
        """For latents of ``dim`` dimensions, with a discriminator of two layers of ``hidden`` units."""
        check_sizes(dim=dim, hidden=hidden)
        layers = (nn.Linear(dim, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, hidden), nn.LeakyReLU(0.2))
        discriminator = nn.Sequential(*layers, nn.Linear(hidden, 1))
        return cls(discriminator, weight=weight, warmup=warmup, updates=updates, lr=lr, dim=dim)

    def penalty(self, z: Tensor) -> Tensor:
        """Update the discriminator (in training), then return the latents' loss."""
        latents = z.detach()
        self.learner.update(lambda: self._mistakes(latents))
        return softplus(-self.discriminator(z)).mean() - math.log(2)

    def discriminator(self, z: Tensor) -> Tensor:
        """Logits ``(batch,)`` of latents ``z (batch, d)``, near ``log p(z)/q(z)``: prior over latents, in nats."""
        logits: Tensor = self.learner.player(z)
        return logits.squeeze(-1)

    @torch.no_grad()
    def metrics(self, z: Tensor) -> dict[str, float]:
        """As of any regulariser, and what the discriminator says: its accuracy and the density ratio that it implies.

        Both are as in `density_ratio`, against draws of the prior; ``_null`` is for draws in the place of latents.
        """
        found = super().metrics(z)
        z = z.to(next(self.learner.player.parameters(), z).dtype)
        with seeded(0, str(z.device)):
            prior, another = (self.discriminator(self.prior(z)) for _ in range(2))
        for ending, logits in (("", self.discriminator(z)), ("_null", another)):
            said = density_ratio(prior, logits)
            found |= {f"discriminator_{name}{ending}": value for name, value in said.items()}
        return found

    def _mistakes(self, z: Tensor) -> Tensor:
        """The discriminator's cross-entropy, in nats: ``2 log 2`` if it cannot tell."""
        return softplus(-self.discriminator(self.prior(z))).mean() + softplus(self.discriminator(z)).mean()
