"""Separate source and channel coding of images, the fair rival of joint coding: JPEG and its kin, LDPC and QAM."""

from jscc_sim.separation.baseline import Design, Outcome, designed, ideal, in_outage, practical
from jscc_sim.separation.losses import Losses, Lost, OverFading, OverNoise
from jscc_sim.separation.modes import Loss, Mode, modes
from jscc_sim.separation.source_codes import FORMATS, SIDE, Coded, coded, decoded

__all__ = [
    "FORMATS",
    "SIDE",
    "Coded",
    "Design",
    "Loss",
    "Losses",
    "Lost",
    "Mode",
    "Outcome",
    "OverFading",
    "OverNoise",
    "coded",
    "decoded",
    "designed",
    "ideal",
    "in_outage",
    "modes",
    "practical",
]
