"""Priors other than N(0, I), each as a map of Gaussian noise, so that the Gaussian game matches them."""

from collections.abc import Callable

from jscc_sim.regularisers.priors.base import FromGaussian, Prior
from jscc_sim.regularisers.priors.marginals import Exponential, Laplace, Marginal, Scipy, StandardNormal, Uniform
from jscc_sim.regularisers.priors.mixtures import KnotheRosenblatt
from jscc_sim.regularisers.priors.swiss_roll import SwissRoll

PRIORS: dict[str, Callable[[], Prior]] = {
    "gaussian": StandardNormal,
    "uniform": Uniform,
    "uniform_symmetric": Uniform.symmetric,
    "laplace": Laplace,
    "exponential": Exponential,
    "two_modes": KnotheRosenblatt.two_modes,
    "ring": KnotheRosenblatt.ring,
    "petals": KnotheRosenblatt.petals,
    "swiss_roll": SwissRoll,
}

__all__ = [
    "PRIORS",
    "Exponential",
    "FromGaussian",
    "KnotheRosenblatt",
    "Laplace",
    "Marginal",
    "Prior",
    "Scipy",
    "StandardNormal",
    "SwissRoll",
    "Uniform",
]
