"""Separate source and channel coding of images, the fair rival of joint coding: JPEG and its kin, LDPC and QAM."""

from jscc_sim.separation.baseline import Design, Outcome, designed, ideal, in_outage, practical
from jscc_sim.separation.modes import Loss, Mode, modes, worth_trying
from jscc_sim.separation.source_codes import FORMATS, SIDE, Coded, coded, decoded

__all__ = [
    "FORMATS",
    "SIDE",
    "Coded",
    "Design",
    "Loss",
    "Mode",
    "Outcome",
    "coded",
    "decoded",
    "designed",
    "ideal",
    "in_outage",
    "modes",
    "practical",
    "worth_trying",
]
