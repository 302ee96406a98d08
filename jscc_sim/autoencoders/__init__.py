"""Autoencoders of images: nets of two families, and their training with a regulariser on the latents."""

from jscc_sim.autoencoders.nets import FAMILIES, Autoencoder, autoencoder
from jscc_sim.autoencoders.training import Epoch, Schedule, Training, fit_autoencoder

__all__ = [
    "FAMILIES",
    "Autoencoder",
    "Epoch",
    "Schedule",
    "Training",
    "autoencoder",
    "fit_autoencoder",
]
