"""The regulariser's interface, for any training loop."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

from jscc_sim.gaussianity import distances


class Regulariser(nn.Module, ABC):
    """A penalty on latents ``z (batch, d)``, to be added to a reconstruction loss::

    z = reg.norm(encoder(x))
    loss = mse(decoder(z), x) + reg(z)
    """

    @abstractmethod
    def norm(self, z: Tensor) -> Tensor:
        """The latent ``(batch, d)`` that decoder and penalty must see; the saved model holds its statistics."""

    @abstractmethod
    def forward(self, z: Tensor) -> Tensor:
        """The penalty, a scalar, of normalised latents ``z (batch, d)``."""

    def metrics(self, z: Tensor) -> dict[str, float]:
        """Distances of normalised latents ``z (count, d)`` from N(0, I), each beside that of a true Gaussian sample."""
        return distances(z.detach().double().cpu().numpy())
