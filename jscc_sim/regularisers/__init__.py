"""Regularisers: penalties on the latents of an autoencoder, one object beside the loss."""

from jscc_sim.regularisers.base import Regulariser
from jscc_sim.regularisers.jamming import JammingRegulariser

REGULARISERS: dict[str, type[Regulariser]] = {"jamming": JammingRegulariser}

__all__ = ["REGULARISERS", "JammingRegulariser", "Regulariser"]
