"""Estimators of a link's mean score: plain Monte Carlo, and quicker ones that say what they need and refuse the rest.

Plain Monte Carlo alone tests a channel: a control variate moves with a wrong noise power, and the others make their
own noise. They are for comparing codecs and for rare errors; `verify` never uses them.
"""

from jscc_sim.estimators.base import Estimator, Experiment
from jscc_sim.estimators.control import Control
from jscc_sim.estimators.plain import Plain
from jscc_sim.estimators.sobol import Sobol
from jscc_sim.estimators.strata import Strata
from jscc_sim.estimators.tilt import Tilt

ESTIMATORS: dict[str, type[Estimator]] = {
    "plain": Plain,
    "control": Control,
    "tilt": Tilt,
    "strata": Strata,
    "sobol": Sobol,
}

__all__ = ["ESTIMATORS", "Control", "Estimator", "Experiment", "Plain", "Sobol", "Strata", "Tilt"]
