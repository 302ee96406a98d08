"""Images as bits over binary channels: codecs trained for many objectives, and what they are worth."""

from jscc_sim.bits.chain import chain
from jscc_sim.bits.conduct import DRAWS, Studied, conduct
from jscc_sim.bits.distortion import Distortion, distortion
from jscc_sim.bits.exhibits import Exhibit, exhibit
from jscc_sim.bits.folder import finish, load_binary, recall, save
from jscc_sim.bits.infomax import Infomax
from jscc_sim.bits.levels import adversarial_levels
from jscc_sim.bits.objectives import BEST, OBJECTIVES, Objective
from jscc_sim.bits.receivers import bayes_receiver, kernel_receiver
from jscc_sim.bits.search import SearchedCodec
from jscc_sim.bits.study import CHANNELS, PRESETS, Study
from jscc_sim.bits.training import Epoch, Training
from jscc_sim.codec_training import Recipe, flat

__all__ = [
    "BEST",
    "CHANNELS",
    "DRAWS",
    "OBJECTIVES",
    "PRESETS",
    "Distortion",
    "Epoch",
    "Exhibit",
    "Infomax",
    "Objective",
    "Recipe",
    "SearchedCodec",
    "Studied",
    "Study",
    "Training",
    "adversarial_levels",
    "bayes_receiver",
    "chain",
    "conduct",
    "distortion",
    "exhibit",
    "finish",
    "flat",
    "kernel_receiver",
    "load_binary",
    "recall",
    "save",
]
