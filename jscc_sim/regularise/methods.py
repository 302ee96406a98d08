"""The methods that are compared, by name: what builds each one's regulariser."""

from collections.abc import Callable

from jscc_sim.regularisers import (
    VAE,
    AdversarialAE,
    CovariancePenalty,
    JammingRegulariser,
    NoPenalty,
    Regulariser,
    Sinkhorn,
    SlicedNormality,
    WassersteinMMD,
)

# The plain autoencoder whose latents a mixture describes afterwards.
MIXTURE = "mixture"

Build = Callable[[int, int], Regulariser]
# By dimension of the latents and values of an image; the weights were chosen on MNIST's validation images.
METHODS: dict[str, Build] = {
    "jamming": lambda d, pixels: JammingRegulariser.default(d),
    "vae": lambda d, pixels: VAE(pixels),
    "wae": lambda d, pixels: WassersteinMMD(),
    "aae": lambda d, pixels: AdversarialAE.default(d),
    "sliced": lambda d, pixels: SlicedNormality(),
    "sinkhorn": lambda d, pixels: Sinkhorn(),
    "covariance": lambda d, pixels: CovariancePenalty(),
    MIXTURE: lambda d, pixels: NoPenalty(),
    "none": lambda d, pixels: NoPenalty(),
}
