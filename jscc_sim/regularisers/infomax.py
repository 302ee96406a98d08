"""Noise-injected InfoMax: latents that carry most through noise take the prior's law."""

import math
from typing import Self

import torch
from torch import Tensor, nn

from jscc_sim.regularisers.base import Regulariser, check_sizes
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

    ``reg(z)`` takes the latents ``z (n, d)`` of ``n`` data for both views, ``reg(a, b)`` those of two, in the same
    order and standardised together, ``a, b = reg.norm(torch.cat((a, b))).chunk(2)``. Noise is added to the second view,
    in training and in evaluation. Their information cannot exceed `capacity`. Under Gaussian noise latents reach it
    only if the views agree and the latents follow N(0, I). Under uniform noise uniform ones come near it if ε is small;
    if it is not, a lattice of points ``2ε`` apart tells more (Butakov et al., arXiv 2410.06993).

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
        super().__init__(weight=weight, warmup=warmup, dim=latents.dim)
        if bound not in BOUNDS:
            raise ValueError(f"bound must be one of {', '.join(BOUNDS)}, got {bound!r}")
        self.latents, self.bound = latents, bound
        self.learner = Learner(critic, updates=updates, lr=lr, betas=BETAS)
        self._other: Tensor | None = None

    @classmethod
    def default(
        cls, dim: int, *, sigma: float = 0.7, critic: str = "bilinear", weight: float = 0.005, warmup: int = 500
    ) -> Self:
        """For Gaussian latents of ``dim`` dimensions, with one of `CRITICS` by name."""
        if critic not in CRITICS:
            raise ValueError(f"critic must be one of {', '.join(CRITICS)}, got {critic!r}")
        check_sizes(dim=dim)
        latents = GaussianLatents(dim, sigma)
        lr = RATE / sigma**2 if critic == "bilinear" else NET_RATE
        return cls(latents, CRITICS[critic](dim), weight=weight, warmup=warmup, lr=lr)

    @property
    def capacity(self) -> float:
        """The upper bound on the information of the views, in nats."""
        return self.latents.capacity

    def norm(self, z: Tensor) -> Tensor:
        """The latents ``(n, d)`` standardised, without noise."""
        self.check(z)
        if self.training and len(z) < 2:
            raise ValueError(f"latents are standardised in batches of at least two, got {tuple(z.shape)}")
        return self.latents(z)

    def forward(self, z: Tensor, other: Tensor | None = None) -> Tensor:
        """The weighted penalty, a scalar, of normalised latents ``z (n, d)``, with ``other (n, d)`` as second view."""
        if other is not None and other.shape != z.shape:
            raise ValueError(f"two views have the same shape, got {tuple(z.shape)} and {tuple(other.shape)}")
        if other is not None:
            self.check(other)
        self._other = other
        try:
            return super().forward(z)
        finally:
            self._other = None

    def penalty(self, z: Tensor) -> Tensor:
        """Update the critic (in training), then return the bound, negated."""
        noisy = self.latents.disturb(z if self._other is None else self._other.to(z.dtype))
        a, b = z.detach(), noisy.detach()
        self.learner.update(lambda: -self._information(a, b))
        return -self._information(z, noisy)

    def _information(self, z: Tensor, noisy: Tensor) -> Tensor:
        return BOUNDS[self.bound](self.learner.player(z, noisy))

    def metrics(self, z: Tensor) -> dict[str, float]:
        """As `Regulariser.metrics`, of latents from evaluation; uniform ones through the normal quantile function."""
        return super().metrics(self.latents.as_gaussian(z))

    def extra_repr(self) -> str:
        """The bound."""
        return f"bound={self.bound!r}"
