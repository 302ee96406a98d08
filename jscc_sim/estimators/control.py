"""The fitted linear control variate: what a linear codec would have suffered under the same source word and noise."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from jscc_sim.estimators.assumptions import BITS, PLAINLY, refusal, white_noise
from jscc_sim.estimators.base import FINER, Estimator, Experiment
from jscc_sim.link import Link, Transmission
from jscc_sim.metrics import MSE, Metric
from jscc_sim.seeds import seeded
from jscc_sim.sources import Gaussian, Laplace, Source, Uniform

# A pilot has so many words per coefficient of a row of the fit, so that its own noise does not show.
WORDS_PER_COEFFICIENT = 32
MOST_SYMBOLS = 1024


@dataclass(frozen=True, eq=False)
class Quadratics:
    """``‖r‖²/k``, ``‖s‖²/k`` and ``2rᵀs/k`` of each word, ``r = (I − B) u``, ``s = G w``, noise ``w = y − gain·x``.

    ``u − r + s`` is what the linear codec ``û = B u + G w`` decodes, so that ``‖r − s‖²/k`` is its error.
    """

    blank: Tensor
    receiver: Tensor
    gain: float

    def __call__(self, sent: Transmission) -> Tensor:
        """``(words, 3)``, in float64."""
        u, w = sent.u.double(), sent.y.double() - self.gain * sent.x.double()
        r, s = u @ self.blank, w @ self.receiver
        return torch.stack([r.square().mean(-1), s.square().mean(-1), 2 * (r * s).mean(-1)], -1)

    def means(self, covariance: Tensor, noise_power: float) -> Tensor:
        """``(tr (I−B) Σ (I−B)ᵀ, W‖G‖², 0)/k``, exact for any fixed ``B`` and ``G``."""
        k = len(covariance)
        missed = ((covariance @ self.blank) * self.blank).sum()
        return torch.stack([missed, noise_power * self.receiver.square().sum(), missed.new_zeros(())]) / k


@dataclass(frozen=True, eq=False)
class Controlled:
    """``score − βᵀ(c − E c)`` with the `Quadratics` ``c``."""

    score: Callable[[Transmission], Tensor]
    control: Quadratics
    slopes: Tensor
    mean: float

    def __call__(self, sent: Transmission) -> Tensor:
        """``(words,)``, in float64; it may be negative."""
        return self.score(sent).double() - (self.control(sent) @ self.slopes - self.mean)


@dataclass(frozen=True)
class Control(Estimator):
    """``E ‖u − û‖²/k`` by what it exceeds the error of a linear codec by, whose own mean is exact.

    A pilot of at least ``pilot`` words fits ``û ≈ B u + G w`` and then the slopes β by least squares. Given any ``B``,
    ``G`` and β the estimate is unbiased: ``E ‖(I−B)u − G w‖²/k = (tr (I−B) Σ (I−B)ᵀ + W‖G‖²)/k``. Assumes a real source
    of mean zero and known covariance Σ, and white noise of exactly known power W that does not see the signal: AWGN, or
    an oblivious jammer in closed form. It gains the more the nearer a codec is to a linear one.
    """

    pilot: int = 2**12
    name: ClassVar[str] = "control"
    judges: ClassVar[bool] = False  # a wrong noise power would move both sides alike

    def __post_init__(self) -> None:
        if not self.pilot >= 2:
            raise ValueError(f"a pilot has at least 2 words, got {self.pilot}")

    def check(self, link: Link) -> None:
        """ValueError unless source and noise have exactly known second moments."""
        _covariance(self.name, link.source)
        white_noise(self.name, link.channel)
        if link.codec.k + link.codec.n > MOST_SYMBOLS:
            raise refusal(self.name, f"words of k + n <= {MOST_SYMBOLS} symbols", f"{link.codec.k} + {link.codec.n}")

    def prepare(self, link: Link, metrics: Sequence[Metric], words: int, seed: int) -> Experiment:
        """Fit on the pilot; blocks are finer than plain ones."""
        self.check(link)
        law = white_noise(self.name, link.channel)
        size = max(self.pilot, WORDS_PER_COEFFICIENT * (link.codec.k + link.codec.n))
        with seeded(seed), torch.no_grad():
            sent = link.transmit(size)
            control = _fit(sent, float(law.gain))
            found = control(sent)
            slopes = _least_squares(found - found.mean(0), MSE.score(sent).double())
            mean = float(control.means(_covariance(self.name, link.source), law.noise_power) @ slopes)
        controlled = tuple(replace(metric, score=Controlled(metric.score, control, slopes, mean)) for metric in metrics)
        return Experiment(link, controlled, max(1, words // FINER))


def _covariance(name: str, source: Source) -> Tensor:
    """The exact covariance ``(k, k)`` of a source of mean zero; ValueError unless it is known."""
    if type(source) in (Gaussian, Laplace, Uniform):
        known = getattr(source, "covariance", None)
        return torch.from_numpy(np.eye(source.k) if known is None else known)
    needs = "a Gaussian, Laplace or uniform source, of known covariance"
    raise refusal(name, needs, source, BITS if source.alphabet == "bits" else PLAINLY)


def _fit(sent: Transmission, gain: float) -> Quadratics:
    """The linear codec ``û = B u + G w`` nearest to what was decoded."""
    u, w = sent.u.double(), sent.y.double() - gain * sent.x.double()
    found = _least_squares(torch.cat([u, w], -1), sent.u_hat.double())
    k = u.shape[-1]
    return Quadratics(torch.eye(k, dtype=torch.float64) - found[:k], found[k:], gain)


def _least_squares(inputs: Tensor, outputs: Tensor) -> Tensor:
    """The coefficients by the normal equations, barely regularised: a codec may ignore some of its inputs."""
    moments = inputs.mT @ inputs
    ridge = 1e-9 * moments.diagonal().mean() * torch.eye(len(moments), dtype=moments.dtype)
    return torch.linalg.solve(moments + ridge, inputs.mT @ outputs)
