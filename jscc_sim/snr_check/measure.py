"""Measuring what was received: ``y = gain·x + offset + noise``, at full strength and faint, and its SNR."""

import math
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import torch
from torch import Tensor

from channels import decibels
from jscc_sim.snr_check.report import Finding, Measured
from jscc_sim.snr_check.user_code import UserCode
from jscc_sim.tally import standard_error

INTERVAL = NormalDist().inv_cdf(0.975)
# Every test for a slip is two-sided at 1e-5, so that right code is called wrong about once in 10,000 checks.
SIGNIFICANT = NormalDist().inv_cdf(1 - 0.5e-5)
# A signal as faint as this shows what the noise is without it.
FAINT = 2.0**-10


def flat(a: Tensor) -> Tensor:
    """``(words, n)`` in double precision."""
    return a.reshape(len(a), -1).to(torch.complex128 if a.is_complex() else torch.float64)


def powers(a: Tensor) -> Tensor:
    """The power per symbol of each word of ``a (words, n)``."""
    return a.abs().square().mean(1)


def measured(scores: Tensor) -> Measured:
    """The mean of ``scores (words,)``."""
    middle, half = float(scores.mean()), INTERVAL * standard_error(scores)
    return Measured(middle, middle - half, middle + half)


@dataclass(frozen=True, eq=False)
class Fit:
    """``y = gain·x + offset + noise``, with ``residual = offset + noise``, ``(words, n)``."""

    gain: complex
    gain_error: float
    residual: Tensor

    @cached_property
    def noise(self) -> Tensor:
        """Of mean zero, ``(words, n)``."""
        return self.residual - self.residual.mean()

    @cached_property
    def power(self) -> Tensor:
        """The noise power of each word, ``(words,)``."""
        return powers(self.noise)


def fit(x: Tensor, y: Tensor) -> Fit:
    """Least squares over all symbols; a gain that is not significantly different from 1 is 1."""
    y = y if x.is_complex() else y.real
    centred = x - x.mean()
    energy = float(powers(centred).mean())
    if energy > 1e-12 * float(powers(x).mean()):  # else all symbols are equal: a gain cannot be told from an offset
        gain = (centred.conj() * y).mean() / energy
        residual = y - gain * x
        error = standard_error((centred.conj() * (residual - residual.mean())).mean(1)) / energy
        if abs(gain - 1) > SIGNIFICANT * error:
            return Fit(complex(gain), error, residual)
    return Fit(1.0, 0.0, y - x)


@dataclass(frozen=True, eq=False)
class Sent:
    """Words ``x (words, n)`` and what the channel made of them, at ``full`` strength and ``faint``."""

    x: Tensor
    full: Fit
    faint: Fit
    complex_noise: bool

    @cached_property
    def power(self) -> Tensor:
        """The power sent in each word, per symbol, ``(words,)``."""
        return powers(self.x)

    @property
    def follows_signal(self) -> bool:
        """Whether the noise fades away with the signal."""
        return float(self.faint.power.mean()) < 10 * FAINT**2 * float(self.full.power.mean())

    @cached_property
    def varies(self) -> bool:
        """Whether part of what is not ``gain·x``, but not all, vanishes with the signal: the gain itself varies."""
        more = self.full.power - self.faint.power
        least = 0.02 * float(self.faint.power.mean())
        return not self.follows_signal and float(more.mean()) > max(least, SIGNIFICANT * standard_error(more))

    @property
    def normalises(self) -> bool:
        """Whether the channel amplifies what is faint."""
        return bool(self.faint.gain_error) and abs(self.faint.gain) ** 2 > 100 * self.power_gain

    @property
    def alone(self) -> Fit:
        """The fit whose residual is noise alone."""
        return self.faint if self.varies else self.full

    @cached_property
    def received(self) -> Tensor:
        """The power of ``h x`` in each word, ``(words,)``, noise taken off."""
        return abs(self.full.gain) ** 2 * self.power + self.full.power - self.alone.power

    @property
    def power_gain(self) -> float:
        """``E|h|²``."""
        return float(self.received.mean() / self.power.mean())

    @property
    def silent(self) -> bool:
        """Whether there is no more noise than float32 rounds away."""
        return float(self.alone.power.mean()) <= 1e-13 * float(self.received.mean())

    @cached_property
    def db(self) -> Measured:
        """The SNR delivered, in dB; the interval by the delta method for a ratio of means."""
        signal, noise = self.received, self.alone.power
        if self.silent or not float(signal.mean()) > 0:
            return Measured(*[math.inf if self.silent else -math.inf] * 3)
        spread = standard_error(signal / signal.mean() - noise / noise.mean())
        if not self.varies:
            spread = math.hypot(spread, 2 * self.full.gain_error / max(abs(self.full.gain), 1e-12))
        middle, half = decibels(float(signal.mean() / noise.mean())), INTERVAL * 10 / math.log(10) * spread
        return Measured(middle, middle - half, middle + half)


def send(code: UserCode, x: Tensor) -> Sent | Finding:
    """What the channel does to ``x``, as it is and so faint that only noise is left; or why it cannot be said."""
    y = code.received(x)
    if isinstance(y, Finding):
        return y
    faint = code.received(x * FAINT)
    full = fit(flat(x), flat(y))
    # A channel that fails on faint signals is taken at its full ones, as if its gain were constant.
    weak = full if isinstance(faint, Finding) else fit(flat(x) * FAINT, flat(faint))
    return Sent(flat(x), full, weak, y.is_complex() and not x.is_complex())
