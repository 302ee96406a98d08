"""Mixtures of Gaussians: samples with labels, and the Knothe-Rosenblatt map that makes them of N(0, I)."""

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from jscc_sim.regularisers.priors.base import Prior
from jscc_sim.regularisers.priors.tails import gaussian_quantile, line, log_density

# A root is searched for in so many steps at most, until one is so small; the next would be its square.
STEPS, EXACT = 60, 1e-9


@dataclass(frozen=True)
class _Conditional:
    """The law of one coordinate given those before: weights' logarithms, means and deviations ``(..., components)``."""

    log_weights: Tensor
    means: Tensor
    deviations: Tensor

    def log_tail(self, z: Tensor, side: Tensor | float) -> Tensor:
        """``log F(z)`` for ``z (...)`` where ``side`` is 1, and ``log(1 − F(z))`` where it is −1."""
        side = torch.as_tensor(side).unsqueeze(-1)
        return (self.log_weights + torch.special.log_ndtr(side * self.standard(z))).logsumexp(-1)

    def log_density(self, z: Tensor) -> Tensor:
        """``log f(z)`` for ``z (...)``."""
        return (self.log_weights + log_density(self.standard(z)) - self.deviations.log()).logsumexp(-1)

    def standard(self, z: Tensor) -> Tensor:
        """``z (...)`` in deviations from each component's mean, ``(..., components)``."""
        return (z.unsqueeze(-1) - self.means) / self.deviations

    def quantile(self, v: Tensor) -> Tensor:
        """``z (...)`` where the law's smaller tail is that of ``v (...)``.

        The gradient, in ``v`` and in the law, is that of the implicit function.
        """
        side = torch.where(v < 0, 1.0, -1.0).double()
        goal = torch.special.log_ndtr(side * v)
        with torch.no_grad():
            at = self._solve(goal, side, self.means + self.deviations * v.unsqueeze(-1))
            slope = side * self._hazard(at, side)
        return line(at, 1 / slope, goal - self.log_tail(at, side))

    def _solve(self, goal: Tensor, side: Tensor, quantiles: Tensor) -> Tensor:
        """The root between the components' ``quantiles``: Newton's steps while they halve, bisection where not."""
        low, high = quantiles.amin(-1), quantiles.amax(-1)
        at, moved = (low + high) / 2, high - low
        for _ in range(STEPS):
            excess = side * (self.log_tail(at, side) - goal)
            low, high = torch.where(excess > 0, low, at), torch.where(excess > 0, at, high)
            newton = at - excess / self._hazard(at, side)
            good = (newton >= low) & (newton <= high) & ((newton - at).abs() <= (moved / 2).clamp_min(EXACT))
            last, at = at, torch.where(good, newton, (low + high) / 2)
            moved = (at - last).abs()
            if bool((moved <= EXACT).all()):
                break
        return at

    def _hazard(self, z: Tensor, side: Tensor) -> Tensor:
        """The density over the tail."""
        return torch.exp(self.log_density(z) - self.log_tail(z, side))


class _Block:
    """What the first coordinates of a block, known so far, say of the next."""

    def __init__(self, mixture: "KnotheRosenblatt", device: torch.device) -> None:
        self.means, self.roots = mixture.means.to(device), mixture.roots.to(device)
        self.log_weights = mixture.weights.log().to(device)
        self.known: list[Tensor] = []

    def next(self) -> _Conditional:
        """The law of the next coordinate."""
        index = len(self.known)
        means = self.means[:, index]
        for before, residual in enumerate(self.known):
            means = means + self.roots[:, index, before] * residual
        return _Conditional(self.log_weights, means, self.roots[:, index, index])

    def add(self, law: _Conditional, z: Tensor) -> None:
        """The next coordinate is ``z (...)``."""
        residual = law.standard(z)
        self.log_weights = (law.log_weights + log_density(residual) - law.deviations.log()).log_softmax(-1)
        self.known.append(residual)


class KnotheRosenblatt(Prior):
    """A mixture of Gaussians in blocks of ``width`` coordinates, by the Knothe-Rosenblatt rearrangement.

    ``z_i = F_i⁻¹(Φ(v_i) | z_1 … z_{i−1})``, with the conditional laws of the mixture, which are mixtures themselves
    (Rosenblatt 1952; Knothe 1957). The map is a bijection and its Jacobian triangular. Where components hardly overlap
    it is steep, ``dz_i/dv_i = φ(v_i)/f_i(z_i)``, for the few ``v`` between them. It computes in float64.

    ``weights (m,)`` sum to 1, ``means (m, width)``, ``covariances (m, width, width)`` are positive definite.
    """

    def __init__(self, weights: Tensor, means: Tensor, covariances: Tensor) -> None:
        self.weights, self.means = weights.detach().double(), means.detach().double()
        self.covariances = covariances.detach().double()
        self.components, self.width = _checked_shape(self.weights, self.means, self.covariances)
        roots, failed = torch.linalg.cholesky_ex(self.covariances)
        if failed.any() or not roots.isfinite().all():
            raise ValueError(f"covariances must be positive definite, component {int(failed.argmax())} is not")
        self.roots = roots

    @classmethod
    def ring(cls, components: int = 5, *, radius: float = 1.0, deviation: float = 0.2) -> Self:
        """Round Gaussians at equal steps on a circle, as likely as each other."""
        angles = 2 * math.pi * torch.arange(components).double() / components
        means = radius * torch.stack((angles.cos(), angles.sin()), -1)
        covariances = deviation**2 * torch.eye(2).double().expand(components, 2, 2)
        return cls(torch.full((components,), 1 / components).double(), means, covariances)

    @classmethod
    def petals(cls, components: int = 10, *, radius: float = 1.4, along: float = 0.5, across: float = 0.1) -> Self:
        """Gaussians along the spokes of a wheel: the mixture of ten in two dimensions of Makhzani et al. (2016).

        The paper draws it without numbers; these are the ones of its public re-implementations.
        """
        angles = 2 * math.pi * torch.arange(components).double() / components
        spokes = torch.stack((angles.cos(), angles.sin()), -1)
        turns = torch.stack((spokes, torch.stack((-angles.sin(), angles.cos()), -1)), -1)
        covariances = turns * torch.tensor([along**2, across**2]).double() @ turns.mT
        return cls(torch.full((components,), 1 / components).double(), radius * spokes, covariances)

    @classmethod
    def two_modes(cls, deviation: float = 0.3) -> Self:
        """One coordinate near one of two points, ``±√(1 − deviation²)``: mean zero, variance one."""
        if not 0 < deviation < 1:
            raise ValueError(f"deviation must lie between 0 and 1, got {deviation}")
        mode = math.sqrt(1 - deviation**2)
        return cls(torch.full((2,), 0.5), torch.tensor([[-mode], [mode]]), torch.full((2, 1, 1), deviation**2))

    def labelled(self, count: int) -> tuple[Tensor, Tensor]:
        """``count`` words of one block, ``(count, width)``, and which component each is from, ``(count,)``."""
        labels = torch.multinomial(self.weights, count, replacement=True)
        noise = torch.randn(count, self.width).double().unsqueeze(-1)
        words = self.means[labels] + (self.roots[labels] @ noise).squeeze(-1)
        return words.to(torch.get_default_dtype()), labels

    def responsibilities(self, z: Tensor) -> Tensor:
        """The probability of each component given ``z (..., width)``: ``(..., components)``."""
        block = _Block(self, z.device)
        for coordinate in z.double().unbind(-1):
            block.add(block.next(), coordinate)
        return block.log_weights.exp().to(z.dtype)

    def from_gaussian(self, v: Tensor) -> Tensor:
        """One coordinate after the other, shape as ``v``."""
        block, found = _Block(self, v.device), []
        for coordinate in self.blocks(v).double().unbind(-1):
            law = block.next()
            found.append(law.quantile(coordinate))
            block.add(law, found[-1])
        return torch.stack(found, -1).flatten(-2).to(v.dtype)

    def to_gaussian(self, z: Tensor) -> Tensor:
        """The Gaussian quantiles under the conditional laws, shape as ``z``."""
        block, found = _Block(self, z.device), []
        for coordinate in self.blocks(z).double().unbind(-1):
            law = block.next()
            found.append(gaussian_quantile(law.log_tail(coordinate, 1), law.log_tail(coordinate, -1)))
            block.add(law, coordinate)
        return torch.stack(found, -1).flatten(-2).to(z.dtype)

    def __repr__(self) -> str:
        parts = (self.weights.tolist(), self.means.tolist(), self.covariances.tolist())
        return "KnotheRosenblatt(weights={}, means={}, covariances={})".format(*parts)


def _checked_shape(weights: Tensor, means: Tensor, covariances: Tensor) -> tuple[int, int]:
    """Components and width, or a ValueError."""
    if weights.ndim != 1 or means.ndim != 2 or len(means) != len(weights) or not means.numel():
        raise ValueError(f"weights (m,) and means (m, width) disagree: {tuple(weights.shape)}, {tuple(means.shape)}")
    if covariances.shape != (*means.shape, means.shape[1]):
        raise ValueError(f"covariances must be {(*means.shape, means.shape[1])}, got {tuple(covariances.shape)}")
    if not (weights.min() > 0 and abs(float(weights.sum()) - 1) < 1e-6 and means.isfinite().all()):
        raise ValueError("weights must be positive and sum to 1, and means be finite")
    return means.shape[0], means.shape[1]
