"""Names on the command line and what they build: requests become cases."""

from jscc_sim.catalog.cases import exact_curves, guide_curves, make_cases
from jscc_sim.catalog.channels import CHANNEL_NAMES
from jscc_sim.catalog.codecs import CODEC_NAMES
from jscc_sim.catalog.inventory import inventory
from jscc_sim.catalog.players import is_file, load_pair
from jscc_sim.catalog.policies import POLICY_NAMES
from jscc_sim.catalog.request import Request
from jscc_sim.catalog.sources import build_source, unseen

__all__ = [
    "CHANNEL_NAMES",
    "CODEC_NAMES",
    "POLICY_NAMES",
    "Request",
    "build_source",
    "exact_curves",
    "guide_curves",
    "inventory",
    "is_file",
    "load_pair",
    "make_cases",
    "unseen",
]
