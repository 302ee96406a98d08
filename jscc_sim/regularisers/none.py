"""No penalty: the plain autoencoder, its latents at unit power."""

from torch import Tensor

from jscc_sim.regularisers.base import Regulariser
from jscc_sim.regularisers.latent_power import LatentPower


class NoPenalty(Regulariser):
    """Zero for all latents ``z (batch, d)``, which are held to unit power so that a decoder sees a known scale."""

    def __init__(self) -> None:
        super().__init__(weight=0.0)
        self.unit = LatentPower()

    def norm(self, z: Tensor) -> Tensor:
        """The latents at unit power over the batch in training, by the power measured there in evaluation."""
        return self.unit(z)

    def penalty(self, z: Tensor) -> Tensor:
        """Zero, with a gradient of zero."""
        return 0 * z.sum()
