"""Methods of shaping latents side by side: the same autoencoder, images and schedule, another regulariser."""

from jscc_sim.regularise.conduct import Studied, conduct, encoder_policy, generated
from jscc_sim.regularise.exhibits import Exhibit, exhibit
from jscc_sim.regularise.finish import finish, finish_by_name, reference_of
from jscc_sim.regularise.folder import LATENTS, MODEL, RESULT, load_model, load_result, recall, save
from jscc_sim.regularise.methods import METHODS, MIXTURES, Method, options_of, split_methods
from jscc_sim.regularise.study import SPLITS, Study, default_extractor
from jscc_sim.regularise.table import by_weight, table

__all__ = [
    "LATENTS",
    "METHODS",
    "MIXTURES",
    "MODEL",
    "RESULT",
    "SPLITS",
    "Exhibit",
    "Method",
    "Studied",
    "Study",
    "by_weight",
    "conduct",
    "default_extractor",
    "encoder_policy",
    "exhibit",
    "finish",
    "finish_by_name",
    "generated",
    "load_model",
    "load_result",
    "options_of",
    "recall",
    "reference_of",
    "save",
    "split_methods",
    "table",
]
