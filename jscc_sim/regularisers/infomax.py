"""Noise-injected InfoMax: latents that carry most through noise take the prior's law."""

import math
from typing import Self

import torch
from torch import Tensor, nn

from jscc_sim.regularisers.base import Regulariser
from jscc_sim.regularisers.critics import BOUNDS, CRITICS
from jscc_sim.regularisers.learner import Learner

# So near to 0 and 1 a sigmoid saturates, and the normal quantile is about 5.
MARGIN = 1e-6
# Of the bilinear critic, in units of its weights, which grow to 1/σ²; and of the others.
RATE, NET_RATE = 3e-3, 1e-3
# Of a critic's Adam: exponentials of scores have heavy tails, and what a rare gradient did must soon be forgotten.
BETAS = (0.9, 0.9)


class GaussianLatents(nn.Module):
    """Latents of zero mean and unit variance per coordinate, and Gaussian noise of standard deviation ``sigma``.

    The batch's moments are taken in training, running ones in evaluation: batch normalisation without an affine map,
    in which a batch that nobody learns from leaves no trace.
    """

    def __init__(self, dim: int, sigma: float = 0.5) -> None:
        super().__init__()
        if not (sigma > 0 and math.isfinite(sigma)):
            raise ValueError(f"sigma must be positive and finite, got {sigma}")
        self.dim, self.sigma = dim, sigma
        self.standardise = nn.BatchNorm1d(dim, affine=False)

    def forward(self, h: Tensor) -> Tensor:
        """``h (batch, dim)``, standardised."""
        if self.training and not torch.is_grad_enabled():
            return nn.functional.batch_norm(h, None, None, training=True)
        return self.standardise(h)

    def disturb(self, z: Tensor) -> Tensor:
        """The latents plus noise."""
        return z + self.sigma * torch.randn_like(z)

    def as_gaussian(self, z: Tensor) -> Tensor:
        """The latents themselves, which aim at N(0, I)."""
        return z

    @property
    def capacity(self) -> float:
        """``(d/2) log(1 + 1/σ²)`` nats: what noisy latents can tell, reached by N(0, I) alone."""
        return self.dim / 2 * math.log1p(self.sigma**-2)

    def extra_repr(self) -> str:
        """The size and the noise."""
        return f"dim={self.dim}, sigma={self.sigma!r}"


class UniformLatents(nn.Module):
    """Latents within (0, 1), by a sigmoid, and noise uniform on ``[−epsilon, epsilon]``."""

    def __init__(self, dim: int, epsilon: float = 0.1) -> None:
        super().__init__()
        if not (epsilon > 0 and math.isfinite(epsilon)):
            raise ValueError(f"epsilon must be positive and finite, got {epsilon}")
        self.dim, self.epsilon = dim, epsilon

    def forward(self, h: Tensor) -> Tensor:
        """The sigmoid of ``h (batch, dim)``."""
        return h.sigmoid()

    def disturb(self, z: Tensor) -> Tensor:
        """The latents plus noise."""
        return z + self.epsilon * (2 * torch.rand_like(z) - 1)

    def as_gaussian(self, z: Tensor) -> Tensor:
        """Latents through the normal quantile function, which makes uniform ones N(0, I)."""
        return torch.special.ndtri(z.double().clamp(MARGIN, 1 - MARGIN))

    @property
    def capacity(self) -> float:
        """``d log(1 + 1/(2ε))`` nats: what noisy latents can tell, nearly reached by uniform ones if ε is small."""
        return self.dim * math.log1p(1 / (2 * self.epsilon))

    def extra_repr(self) -> str:
        """The size and the noise."""
        return f"dim={self.dim}, epsilon={self.epsilon!r}"


class NoiseInjection(Regulariser):
    """``−I(a; b + noise)``, in nats: a lower bound on what one view of a datum tells of the other, negated.

    The latents ``z (2n, d)`` hold ``n`` data twice: the first half view a, the second half view b of the same data in
    the same order, which ``norm`` has standardised together and, in training, disturbed in the second half. Their
    information cannot exceed `capacity`, and reaches it only if the views agree and the latents follow the prior,
    N(0, I) or uniform (Butakov et al., arXiv 2410.06993). Without a second view, the same data serve as both.

    ``latents`` is `GaussianLatents` or `UniformLatents`, ``critic`` any module from two views to scores ``(n, n)`` of
    all pairs, such as `CRITICS`, and ``bound`` one of `BOUNDS`. The critic raises the bound inside, by ``updates``
    steps of Adam per call in training. InfoNCE never says more than ``log n``: choose ``n`` well above
    ``exp(capacity)``, or another bound, which varies more.
    """

    def __init__(
        self,
        latents: GaussianLatents | UniformLatents,
        critic: nn.Module,
        *,
        bound: str = "infonce",
        weight: float = 0.005,
        warmup: int = 500,
        updates: int = 1,
        lr: float = 1e-3,
    ) -> None:
        super().__init__(weight=weight, warmup=warmup)
        if bound not in BOUNDS:
            raise ValueError(f"bound must be one of {', '.join(BOUNDS)}, got {bound!r}")
        self.latents, self.bound = latents, bound
        self.learner = Learner(critic, updates=updates, lr=lr, betas=BETAS)

    @classmethod
    def default(
        cls, dim: int, *, sigma: float = 0.7, critic: str = "bilinear", weight: float = 0.005, warmup: int = 500
    ) -> Self:
        """For Gaussian latents of ``dim`` dimensions, with one of `CRITICS` by name."""
        if critic not in CRITICS:
            raise ValueError(f"critic must be one of {', '.join(CRITICS)}, got {critic!r}")
        latents = GaussianLatents(dim, sigma)
        lr = RATE / sigma**2 if critic == "bilinear" else NET_RATE
        return cls(latents, CRITICS[critic](dim), weight=weight, warmup=warmup, lr=lr)

    @property
    def capacity(self) -> float:
        """The upper bound on the information of the views, in nats."""
        return self.latents.capacity

    def norm(self, z: Tensor) -> Tensor:
        """Both views ``(2n, d)`` standardised; in training, the second with noise."""
        z = self.latents(z)
        if not self.training:
            return z
        clean, noisy = z.tensor_split(2)
        return torch.cat((clean, self.latents.disturb(noisy)))

    def penalty(self, z: Tensor) -> Tensor:
        """Teach the critic (in training), then return the bound, negated."""
        if len(z) % 2 or len(z) < 4:
            raise ValueError(f"two views of at least two data are stacked along the batch, got {len(z)} latents")
        views = z.detach()
        self.learner.teach(lambda: -self._information(views))
        return -self._information(z)

    def _information(self, z: Tensor) -> Tensor:
        return BOUNDS[self.bound](self.learner.player(*z.chunk(2)))

    def metrics(self, z: Tensor) -> dict[str, float]:
        """As `Regulariser.metrics`, of latents from evaluation; uniform ones through the normal quantile function."""
        return super().metrics(self.latents.as_gaussian(z))

    def extra_repr(self) -> str:
        """The bound."""
        return f"bound={self.bound!r}"
