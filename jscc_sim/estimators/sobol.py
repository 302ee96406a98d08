"""Scrambled Sobol points in place of random numbers: each block a scrambling of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

from torch.quasirandom import SobolEngine

from channels import AWGN
from channels.power import scrambled_normal_points
from jscc_sim.codecs import Codec
from jscc_sim.estimators.assumptions import BITS, gaussian_noise, refusal
from jscc_sim.estimators.base import Estimator, Experiment
from jscc_sim.link import Link, Transmission
from jscc_sim.metrics import Metric
from jscc_sim.sources import Gaussian, Source


@dataclass(frozen=True, eq=False)
class SobolSender:
    """Sends words of a Gaussian source through Gaussian noise, both from the same points."""

    source: Gaussian
    codec: Codec
    channel: AWGN

    def transmit(self, words: int) -> Transmission:
        """So many words, made of the first points of a fresh scrambling."""
        k, law = self.codec.k, self.channel
        normal = scrambled_normal_points(words, k + self.codec.n).float()
        white, noise = normal[:, :k], normal[:, k:]
        u = white if self.source.is_white else white @ self.source.root
        x = self.codec.encode(u)
        y = law.gain * x + sqrt(law.noise_power) * noise
        return Transmission(u, x, y, self.codec.decode(y, law))


@dataclass(frozen=True)
class Sobol(Estimator):
    """The mean over the ``points`` of independent scramblings (Owen 1995), each a block, its interval Student's.

    Assumes a Gaussian source, Gaussian noise that does not see the signal (AWGN or a Gaussian jammer), and at most
    torch's 21,201 dimensions ``k + n``. It gains the more the smoother a codec is and the fewer dimensions it has.
    """

    points: int = 2**12
    name: ClassVar[str] = "sobol"
    judges: ClassVar[bool] = False  # it passes the channel's generator by

    def __post_init__(self) -> None:
        if not (self.points >= 1 and self.points & (self.points - 1) == 0):
            raise ValueError(f"points must be a power of two, got {self.points}")

    def check(self, link: Link) -> None:
        """ValueError unless source and noise are Gaussian, and the dimensions few enough."""
        _gaussian(self.name, link.source)
        gaussian_noise(self.name, link.channel)
        if link.codec.k + link.codec.n > SobolEngine.MAXDIM:
            found = f"{link.codec.k} + {link.codec.n}"
            raise refusal(self.name, f"words of k + n <= {SobolEngine.MAXDIM} symbols", found)

    def prepare(self, link: Link, metrics: Sequence[Metric], words: int, seed: int) -> Experiment:
        """No pilot."""
        self.check(link)
        source = _gaussian(self.name, link.source)
        sender = SobolSender(source, link.codec, gaussian_noise(self.name, link.channel))
        return Experiment(sender, tuple(metrics), self.points)


def _gaussian(name: str, source: Source) -> Gaussian:
    """The source itself, if it is Gaussian and nothing derived from that."""
    if isinstance(source, Gaussian) and type(source) is Gaussian:
        return source
    other = "use the control estimator for a Laplace or uniform source, or the plain one"
    raise refusal(name, "a Gaussian source", source, BITS if source.alphabet == "bits" else other)
