"""The covariance penalty: second moments alone."""

import torch
from torch import Tensor, nn

from jscc_sim.regularisers.base import Regulariser


class CovariancePenalty(Regulariser):
    """``(‖Cov z − I‖_F² + ‖E z‖²)/d`` of latents ``z (batch, d)``, dimensionless.

    Zero for every law of zero mean and identity covariance, whatever its shape. A Gaussian batch of ``n`` scores
    ``(d + 1)/(n − 1) + 1/n`` in the mean. The covariance term alone is that of VICReg (Bardes, Ponce and LeCun,
    arXiv 2105.04906), with the variances' hinge replaced by a square.
    """

    def __init__(self, *, weight: float = 0.01, warmup: int = 0, normaliser: nn.Module | None = None) -> None:
        super().__init__(weight=weight, warmup=warmup, normaliser=normaliser)

    def penalty(self, z: Tensor) -> Tensor:
        """The distance of both moments from those of N(0, I)."""
        mean = z.mean(0)
        offsets = z - mean
        covariance = offsets.T @ offsets / (len(z) - 1)
        excess = covariance - torch.eye(z.shape[1], dtype=z.dtype, device=z.device)
        return (excess.square().sum() + mean.square().sum()) / z.shape[1]
