"""Real image sets as bytes, and networks' weights: the known ones by name, folders; a thousand images come along."""

from jscc_sim.data.download import ProgressBar
from jscc_sim.data.idx import read_idx
from jscc_sim.data.imageset import Archive, ImageSet, SetFile
from jscc_sim.data.install import fetch, import_set
from jscc_sim.data.inventory import SetState, describe
from jscc_sim.data.loading import SHIPPED, TEST_IMAGES, load_images, load_labels
from jscc_sim.data.parts import Part, Parts, load_parts
from jscc_sim.data.sets import SETS, data_home, known_set
from jscc_sim.data.weights import WEIGHTS, Weights, read_checked
from jscc_sim.data.weights_home import WeightsState, describe_weights, fetch_weights, import_weights, read_weights

__all__ = [
    "SETS",
    "SHIPPED",
    "TEST_IMAGES",
    "WEIGHTS",
    "Archive",
    "ImageSet",
    "Part",
    "Parts",
    "ProgressBar",
    "SetFile",
    "SetState",
    "Weights",
    "WeightsState",
    "data_home",
    "describe",
    "describe_weights",
    "fetch",
    "fetch_weights",
    "import_set",
    "import_weights",
    "known_set",
    "load_images",
    "load_labels",
    "load_parts",
    "read_checked",
    "read_idx",
    "read_weights",
]
