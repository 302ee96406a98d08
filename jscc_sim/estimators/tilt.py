"""Exponential tilting: noise that is moved to where errors happen, each error counting by its likelihood ratio."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import exp, sqrt
from typing import ClassVar, Self

import torch
from torch import Tensor

from channels import AWGN, Channel, MemorylessChannel, Received
from jscc_sim.codecs import Repetition
from jscc_sim.estimators.assumptions import check_codec, gaussian_noise, refusal
from jscc_sim.estimators.base import FINER, Estimator, Experiment
from jscc_sim.link import Link, Transmission
from jscc_sim.metrics import Metric
from jscc_sim.sources import Bits


class Tilted(Channel):
    """``y ~ N(0, W)``: the noise of ``law`` with its mean moved by ``−gain·x``, to where the two signs part."""

    alphabet = output = "real"
    knob = "snr_db"

    def __init__(self, law: AWGN) -> None:
        super().__init__()
        self.law = law

    def at(self, level: float) -> Self:
        """The law at another level, tilted."""
        return type(self)(self.law.at(level))

    @property
    def nominal(self) -> MemorylessChannel:
        """The law as it is without the tilt, by which the receiver decides."""
        return self.law

    def transmit(self, x: Tensor, u: Tensor | None = None) -> Received:
        """Noise alone, which the signal is lost in."""
        return Received(torch.randn_like(x) * sqrt(self.law.noise_power), self.law)


@dataclass(frozen=True, eq=False)
class Reweighted:
    """``score · N(y; h, W)/N(y; 0, W)``, ``h = gain·x``: the likelihood ratio is ``exp((2 yᵀh − ‖h‖²)/2W)``."""

    score: Callable[[Transmission], Tensor]
    gain: float
    noise_power: float

    def __call__(self, sent: Transmission) -> Tensor:
        """``(words,)``, in float64."""
        heard = self.gain * sent.x
        ratio = (heard * (2 * sent.y - heard)).sum(-1).div_(2 * self.noise_power).exp_()
        return self.score(sent) * ratio


@dataclass(frozen=True)
class Tilt(Estimator):
    """``P(error) = E_tilted[1{error} · dP/dP_tilted]``, in float64, for an error however rare.

    Assumes words of one bit, uncoded or repeated, and Gaussian noise that does not see them: AWGN or a Gaussian jammer.
    About 2.5e5 words give 1 % at 1e-9, and the number grows only with the root of the SNR.
    """

    name: ClassVar[str] = "tilt"
    judges: ClassVar[bool] = True

    def check(self, link: Link) -> None:
        """ValueError unless one repeated bit meets Gaussian noise."""
        remedy = "use repetition, uncoded, the strata estimator for block codes on a BSC or a BEC, or the plain one"
        check_codec(self.name, link.codec, (Repetition,), remedy)
        if type(link.source) is not Bits:
            raise refusal(self.name, "fair bits as the source", link.source)
        if link.codec.k != 1:
            raise refusal(self.name, "words of one bit", f"k={link.codec.k}", "use --k 1, or the plain estimator")
        gaussian_noise(self.name, link.channel)

    def prepare(self, link: Link, metrics: Sequence[Metric], words: int, seed: int) -> Experiment:
        """No pilot: where the two signs part is known."""
        self.check(link)
        law = gaussian_noise(self.name, link.channel)
        gain, noise_power = float(law.gain), law.noise_power
        weighed = tuple(
            replace(metric, score=Reweighted(metric.score, gain, noise_power), binary=False, weighted=True)
            for metric in metrics
        )
        heaviest = exp(-link.codec.n * gain**2 / (2 * noise_power))  # an error has yᵀh <= 0
        tilted = Link(Bits(1, torch.float64), link.codec, Tilted(law))
        return Experiment(tilted, weighed, max(1, words // FINER), heaviest)
