"""Certificates of the jamming game: what no jammer exceeds, what no codec undercuts, and what searches find."""

from jscc_sim.certificates.bound import Bound
from jscc_sim.certificates.certificate import Certificate
from jscc_sim.certificates.certify import STAGES, certify
from jscc_sim.certificates.latents import LatentPolicy, posterior_policy

__all__ = ["STAGES", "Bound", "Certificate", "LatentPolicy", "certify", "posterior_policy"]
