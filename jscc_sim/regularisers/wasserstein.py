"""The Wasserstein autoencoder's penalty: the maximum mean discrepancy."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from jscc_sim.regularisers.base import Regulariser

# As in the authors' code: kernel widths as multiples of the mean squared distance 2d of two draws of N(0, I).
SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


def _inverse_multiquadric(squared: Tensor, d: int) -> Tensor:
    return torch.stack([width / (width + squared) for width in _widths(d)]).sum(0)


def _gaussian(squared: Tensor, d: int) -> Tensor:
    return torch.stack([torch.exp(-squared / (2 * width)) for width in _widths(d)]).sum(0)


def _energy(squared: Tensor, d: int) -> Tensor:
    # The root has no slope at 0, where a latent meets itself.
    return -squared.clamp_min(1e-12).sqrt() / d**0.5


def _widths(d: int) -> list[float]:
    return [2 * d * scale for scale in SCALES]


# Kernels by name, as functions of squared distances and the dimension.
KERNELS: dict[str, Callable[[Tensor, int], Tensor]] = {
    "imq": _inverse_multiquadric,
    "rbf": _gaussian,
    "energy": _energy,
}


def squared_distances(z: Tensor, g: Tensor) -> Tensor:
    """``‖z − g‖²`` of all pairs, ``(count of z, count of g)``."""
    return (z.square().sum(1)[:, None] + g.square().sum(1) - 2 * z @ g.T).clamp_min(0)


class WassersteinMMD(Regulariser):
    """``MMD²(z, g)``, unbiased, between latents ``z (batch, d)`` and as many fresh draws ``g`` of the prior.

    The kernel is one of `KERNELS`, with ``r`` the distance of two latents and ``C = 2 d s``:
    ``imq`` is ``Σ_s C/(C + r²)`` and ``rbf`` is ``Σ_s exp(−r²/2C)``, over seven scales ``s`` from 0.1 to 10, and
    dimensionless; ``energy`` is ``−r/√d``, whose MMD² is the energy distance over ``√d``. Zero in the mean if the
    latents follow the prior, so that a single value may be negative (Tolstikhin, Bousquet, Gelly and Schölkopf,
    *Wasserstein Auto-Encoders*, ICLR 2018). ``prior`` returns draws of the shape of the latents it is given;
    """

    def __init__(
        self,
        kernel: str = "imq",
        *,
        weight: float = 0.025,
        warmup: int = 0,
        prior: Callable[[Tensor], Tensor] = torch.randn_like,
        normaliser: nn.Module | None = None,
    ) -> None:
        super().__init__(weight=weight, warmup=warmup, normaliser=normaliser)
        if kernel not in KERNELS:
            raise ValueError(f"kernel must be one of {', '.join(KERNELS)}, got {kernel!r}")
        self.kernel, self.prior = kernel, prior

    def penalty(self, z: Tensor) -> Tensor:
        """The discrepancy from fresh draws of the prior."""
        g = self.prior(z.detach())
        return self._among(z) + self._among(g) - 2 * self._kernel(z, g).mean()

    def _among(self, z: Tensor) -> Tensor:
        """The mean kernel of two different latents."""
        kernel = self._kernel(z, z)
        return (kernel.sum() - kernel.diagonal().sum()) / (len(z) * (len(z) - 1))

    def _kernel(self, z: Tensor, g: Tensor) -> Tensor:
        return KERNELS[self.kernel](squared_distances(z, g), z.shape[1])

    def extra_repr(self) -> str:
        """The kernel."""
        return f"kernel={self.kernel!r}"
