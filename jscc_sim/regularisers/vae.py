"""The variational autoencoder's penalty."""

from typing import Any

import torch
from torch import Tensor

from jscc_sim.regularisers.base import Regulariser


class VAE(Regulariser):
    """``KL(N(μ, σ²) ‖ N(0, I))/pixels``, in nats per pixel: summed over the latent, averaged over the batch.

    The encoder gives ``(batch, 2d)`` numbers, the means and the logarithms of the variances; ``norm`` draws the latent
    ``z = μ + σ ε (batch, d)`` from them in training and takes the mean in evaluation (Kingma and Welling,
    arXiv 1312.6114). ``pixels`` is how many numbers the reconstruction loss averages over (784 on MNIST), so that
    ``mse + reg(z)`` is ``(SSE + weight · KL)/pixels``, and ``weight`` is the β of a loss made of an image's squared
    error and ``β KL``, as in Pythae's BetaVAE. A likelihood of unit variance halves the squared error; its β is half
    of this weight.
    """

    def __init__(self, pixels: int, *, weight: float = 0.25, warmup: int = 0) -> None:
        super().__init__(weight=weight, warmup=warmup)
        if not pixels >= 1:
            raise ValueError(f"pixels must be at least 1, got {pixels}")
        self.pixels = pixels
        self._drawn: tuple[Tensor, Tensor, Tensor] | None = None

    def width(self, d: int) -> int:
        """A mean and a log-variance for each latent."""
        return 2 * d

    def norm(self, z: Tensor) -> Tensor:
        """A latent ``(batch, d)`` drawn from what the encoder gave, ``(batch, 2d)``; its mean in evaluation."""
        if z.shape[-1] % 2:
            raise ValueError(f"the encoder must give a mean and a log-variance per latent, got {z.shape[-1]} numbers")
        mean, log_variance = z.chunk(2, -1)
        drawn = self.draw(z) if self.training else mean
        self._drawn = drawn, mean, log_variance
        return drawn

    def draw(self, z: Tensor) -> Tensor:
        """Drawn in evaluation too: of what the encoder gave, the prior is to match this, and not the means."""
        mean, log_variance = z.chunk(2, -1)
        return mean + (log_variance / 2).exp() * torch.randn_like(mean)

    def penalty(self, z: Tensor) -> Tensor:
        """The divergence of the law that ``z`` was drawn from; ValueError if ``norm`` drew something else last."""
        mean, log_variance = (statistic.to(z.dtype) for statistic in self._statistics(z))
        divergence = mean.square() + log_variance.exp() - 1 - log_variance
        return divergence.sum(-1).mean() / (2 * self.pixels)

    def _statistics(self, z: Tensor) -> tuple[Tensor, Tensor]:
        if self._drawn is not None:
            drawn, mean, log_variance = self._drawn
            if drawn.shape == z.shape and torch.allclose(drawn.to(z), z, rtol=0, atol=0, equal_nan=True):
                return mean, log_variance
        raise ValueError("a VAE weighs the latents that its norm drew last: call z = reg.norm(encoder(x)), then reg(z)")

    def __getstate__(self) -> dict[str, Any]:
        # What was drawn belongs to one step of training, and tensors with a history cannot be copied.
        return {**self.__dict__, "_drawn": None}
