"""Images over the air by DeepJSCC: codecs trained over channels and against a jammer, and what they are worth."""

from jscc_sim.codec_training import Recipe
from jscc_sim.deepjscc.conduct import Studied, conduct
from jscc_sim.deepjscc.exhibits import Exhibit, exhibit
from jscc_sim.deepjscc.fidelity import Fidelity, measure, send
from jscc_sim.deepjscc.folder import finish, load_deepjscc, save
from jscc_sim.deepjscc.study import CHANNELS, PRESETS, Study
from jscc_sim.deepjscc.training import Epoch, Training

__all__ = [
    "CHANNELS",
    "PRESETS",
    "Epoch",
    "Exhibit",
    "Fidelity",
    "Recipe",
    "Studied",
    "Study",
    "Training",
    "conduct",
    "exhibit",
    "finish",
    "load_deepjscc",
    "measure",
    "save",
    "send",
]
