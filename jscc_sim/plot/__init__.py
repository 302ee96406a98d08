"""Figures: functions of rows and arrays; the only package that draws."""

from jscc_sim.plot.autoencoders import interpolations, latents, reconstructions, samples, trade_off, training
from jscc_sim.plot.bits import chained_images, distortion_curves, learning, marginals, received_images, stability
from jscc_sim.plot.deepjscc import fidelity_curves, learning_curve
from jscc_sim.plot.files import check_suffix, save
from jscc_sim.plot.players import certificate, game
from jscc_sim.plot.sweeps import curves, theory

__all__ = [
    "certificate",
    "chained_images",
    "check_suffix",
    "curves",
    "distortion_curves",
    "fidelity_curves",
    "game",
    "interpolations",
    "latents",
    "learning",
    "learning_curve",
    "marginals",
    "received_images",
    "reconstructions",
    "samples",
    "save",
    "stability",
    "theory",
    "trade_off",
    "training",
]
