"""The regularised autoencoder's penalty: the latents' squared norm."""

from torch import Tensor

from jscc_sim.regularisers.base import Regulariser


class SquaredNorm(Regulariser):
    """``½ mean z²`` of latents ``z (batch, d)``: it keeps them from growing, and leaves their law to `ExPostMixture`.

    What else regularises the decoder of a regularised autoencoder, such as its ``weight_decay``, belongs to the outer
    optimiser (Ghosh, Sajjadi, Vergari, Black and Schölkopf, ICLR 2020).
    """

    def __init__(self, *, weight: float = 1e-4, warmup: int = 0) -> None:
        super().__init__(weight=weight, warmup=warmup)

    def norm(self, z: Tensor) -> Tensor:
        """The latents as they are."""
        return z

    def penalty(self, z: Tensor) -> Tensor:
        """Half the mean square."""
        return z.square().mean() / 2
