"""The estimator's interface: from a link to an experiment with the same mean scores and a smaller variance."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from jscc_sim.blocks import Sender
from jscc_sim.link import Link
from jscc_sim.metrics import Metric

# Plain blocks are large, for speed; an estimator that needs few words divides them by this.
FINER = 16


@dataclass(frozen=True)
class Experiment:
    """What is run in place of a link: ``words`` a block from ``sender``, scored by ``metrics``.

    ``heaviest`` is the largest score that a word may have where errors count by weights, else None.
    """

    sender: Sender
    metrics: tuple[Metric, ...]
    words: int
    heaviest: float | None = None


class Estimator(ABC):
    """An unbiased way to the mean scores of a link. Its fields enter the key of what it measures by its repr.

    ``judges`` says whether what it measures may be held against an exact value: not where a wrong noise would cancel.
    """

    name: ClassVar[str]
    judges: ClassVar[bool]

    @abstractmethod
    def check(self, link: Link) -> None:
        """ValueError, naming what fails and what to do, unless the link is as this estimator assumes."""

    @abstractmethod
    def prepare(self, link: Link, metrics: Sequence[Metric], words: int, seed: int) -> Experiment:
        """The experiment for a link that plain Monte Carlo measures in blocks of ``words``.

        What must be learned first comes from a pilot with its own ``seed``. Blocks that do not see the pilot are
        unbiased given whatever it found.
        """
