"""Regularisers: penalties on the latents of an autoencoder, one object beside the loss.

Default weights go with the squared error per pixel of 28 × 28 pictures. Where a paper adds ``λ · penalty`` to the
squared error of an image, the weight is ``λ/pixels``.
"""

from jscc_sim.regularisers.adversarial import AdversarialAE
from jscc_sim.regularisers.base import Regulariser
from jscc_sim.regularisers.covariance import CovariancePenalty
from jscc_sim.regularisers.critics import BOUNDS, CRITICS
from jscc_sim.regularisers.infomax import GaussianLatents, NoiseInjection, UniformLatents
from jscc_sim.regularisers.jamming import JammingRegulariser
from jscc_sim.regularisers.mixture import ExPostMixture
from jscc_sim.regularisers.none import NoPenalty
from jscc_sim.regularisers.sinkhorn import Sinkhorn
from jscc_sim.regularisers.sliced import SlicedNormality
from jscc_sim.regularisers.squared_norm import SquaredNorm
from jscc_sim.regularisers.vae import VAE
from jscc_sim.regularisers.wasserstein import KERNELS, WassersteinMMD

REGULARISERS: dict[str, type[Regulariser]] = {
    "jamming": JammingRegulariser,
    "vae": VAE,
    "wae": WassersteinMMD,
    "aae": AdversarialAE,
    "sliced": SlicedNormality,
    "sinkhorn": Sinkhorn,
    "covariance": CovariancePenalty,
    "infomax": NoiseInjection,
    "rae": SquaredNorm,
    "none": NoPenalty,
}

__all__ = [
    "BOUNDS",
    "CRITICS",
    "KERNELS",
    "REGULARISERS",
    "VAE",
    "AdversarialAE",
    "CovariancePenalty",
    "ExPostMixture",
    "GaussianLatents",
    "JammingRegulariser",
    "NoPenalty",
    "NoiseInjection",
    "Regulariser",
    "Sinkhorn",
    "SlicedNormality",
    "SquaredNorm",
    "UniformLatents",
    "WassersteinMMD",
]
