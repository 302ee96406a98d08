"""Plain Monte Carlo: the link itself, every word counting as one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from jscc_sim.estimators.base import Estimator, Experiment
from jscc_sim.link import Link
from jscc_sim.metrics import Metric


@dataclass(frozen=True)
class Plain(Estimator):
    """The mean of the scores themselves. Assumes nothing, and is the only estimator that verifies a channel."""

    name: ClassVar[str] = "plain"
    judges: ClassVar[bool] = True

    def check(self, link: Link) -> None:
        """Every link will do."""

    def prepare(self, link: Link, metrics: Sequence[Metric], words: int, seed: int) -> Experiment:
        """The link as it is."""
        return Experiment(link, tuple(metrics), words)
