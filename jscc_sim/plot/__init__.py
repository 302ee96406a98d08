"""Figures: functions of rows and arrays; the only package that draws."""

from jscc_sim.plot.autoencoders import interpolations, latents, reconstructions, samples, trade_off, training
from jscc_sim.plot.files import check_suffix, save
from jscc_sim.plot.players import certificate, game
from jscc_sim.plot.sweeps import curves, theory

__all__ = [
    "certificate",
    "check_suffix",
    "curves",
    "game",
    "interpolations",
    "latents",
    "reconstructions",
    "samples",
    "save",
    "theory",
    "trade_off",
    "training",
]
