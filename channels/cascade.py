"""Cascades: one channel after another, and the laws of those that have one in closed form."""

from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor

from channels.awgn import AWGN
from channels.base import Channel, Draw, MemorylessChannel, Received
from channels.binary import BEC, BSC, checked_probability, factors, flipped, log, log_odds, log_other
from channels.jammer import Jammer
from channels.shared import innermost
from channels.wireless import TDL


class ErrorsAndErasures(MemorylessChannel):
    """Each symbol is erased with probability ``erase``; one that is not changes sign with probability ``flip``."""

    alphabet = output = "antipodal"
    knob = "flip"

    def __init__(self, flip: float, erase: float) -> None:
        super().__init__()
        self.flip, self.erase = checked_probability("flip", flip), checked_probability("erase", erase)

    def at(self, level: float) -> Self:
        """The channel at crossover probability ``level``."""
        return type(self)(level, self.erase)

    def transmit(self, x: Tensor, u: Tensor | None = None) -> Received:
        """Flip, then erase; gradients pass flips as those of the mean received symbol, and no erasure."""
        return Received(flipped(x, factors(x, self.flip, -1.0), self.flip) * factors(x, self.erase, 0.0), self)

    def log_prob(self, y: Tensor, x: Tensor) -> Tensor:
        """Per symbol, in nats."""
        kept = log_other(self.erase)
        agree, differ = (torch.full_like(y, kept + share) for share in (log_other(self.flip), log(self.flip)))
        return torch.where(y == 0, torch.full_like(y, log(self.erase)), torch.where(y == x, agree, differ))

    def llr(self, y: Tensor) -> Tensor:
        """``y · log((1 − flip)/flip)``, 0 at an erasure."""
        return y * log_odds(self.flip)

    def extra_repr(self) -> str:
        """Every parameter at full precision."""
        return f"flip={self.flip!r}, erase={self.erase!r}"


class NoisyFlips(MemorylessChannel):
    """``y = ±x + z``: antipodal symbols change sign with probability ``flip``, then meet Gaussian noise."""

    alphabet, output = "antipodal", "real"
    knob = "snr_db"

    def __init__(self, flip: float, noise: AWGN) -> None:
        super().__init__()
        self.flip, self.noise = checked_probability("flip", flip), noise

    def at(self, level: float) -> Self:
        """The same flips at SNR ``level`` dB."""
        return type(self)(self.flip, self.noise.at(level))

    def transmit(self, x: Tensor, u: Tensor | None = None) -> Received:
        """Flip, then add noise; gradients pass flips as those of the mean received symbol."""
        return Received(self.noise(flipped(x, factors(x, self.flip, -1.0), self.flip)), self)

    def log_prob(self, y: Tensor, x: Tensor) -> Tensor:
        """The mixture of both signs, per symbol, in nats."""
        kept, turned = self.noise.log_prob(y, x), self.noise.log_prob(y, -x)
        return torch.logaddexp(kept + log_other(self.flip), turned + log(self.flip))

    def llr(self, y: Tensor) -> Tensor:
        """``log (q e^l + p)/(p e^l + q)`` of the noise's own ``l``, ``q = 1 − p``, ``p`` no rarer than 1e-12."""
        own, odds = self.noise.llr(y), log_odds(self.flip)
        # Above and below the line divided by e^l where l is positive, so that no difference of large numbers arises.
        zero, positive = torch.zeros_like(own), own >= 0
        low, high = torch.where(positive, zero, own), torch.where(positive, -own, zero)
        return torch.logaddexp(low + odds, high) - torch.logaddexp(low, high + odds)

    def extra_repr(self) -> str:
        """Every parameter; the noise shows itself."""
        return f"flip={self.flip!r}"


def _either(p: float, q: float) -> float:
    """The chance that exactly one of two independent flips happens."""
    return p * (1 - q) + q * (1 - p)


def _rates(law: BSC | BEC | ErrorsAndErasures) -> tuple[float, float]:
    """How often it flips what it does not erase, and how often it erases."""
    return getattr(law, "flip", 0.0), getattr(law, "erase", 0.0)


def _binary(first: BSC | BEC | ErrorsAndErasures, second: BSC | BEC | ErrorsAndErasures) -> MemorylessChannel:
    (p, gone), (q, going) = _rates(first), _rates(second)
    flip, erase = _either(p, q), gone + going * (1 - gone)
    if isinstance(first, BSC) and isinstance(second, BSC):
        return BSC(flip)
    return BEC(erase) if isinstance(first, BEC) and isinstance(second, BEC) else ErrorsAndErasures(flip, erase)


def _law(first: MemorylessChannel, second: MemorylessChannel, *, words_only: bool) -> MemorylessChannel | None:
    """The law of both; ``words_only`` if the second is what a receiver makes of words of unit power without noise."""
    match first, second:
        case AWGN(), AWGN():
            if isinstance(second.gain, Tensor) or (words_only and second.gain != 1):
                return None
            return AWGN(second.gain**2 * first.noise_power + second.noise_power, first.gain * second.gain)
        case NoisyFlips(), AWGN():
            noise = _law(first.noise, second, words_only=words_only)
            return NoisyFlips(first.flip, noise) if isinstance(noise, AWGN) else None
        case BSC(), AWGN():
            return NoisyFlips(first.flip, second)
        case BSC(), NoisyFlips():
            return NoisyFlips(_either(first.flip, second.flip), second.noise)
        case ((BSC() | BEC() | ErrorsAndErasures()), (BSC() | BEC() | ErrorsAndErasures())):
            return _binary(first, second)
    return None


def stages(channel: Channel) -> list[Channel]:
    """The channels of a cascade in their order, without shared secrets round them; of another channel itself."""
    inside = innermost(channel)
    return [*stages(inside.first), *stages(inside.second)] if isinstance(inside, Cascade) else [inside]


def jammer_in(channel: Channel) -> Jammer | None:
    """The last jammer of a cascade."""
    return next((stage for stage in reversed(stages(channel)) if isinstance(stage, Jammer)), None)


def _is_memoryless(channel: Channel) -> bool:
    """Whether a channel is its nominal law, so that what it does to noise is known as well."""
    if isinstance(channel, Cascade):
        return _is_memoryless(channel.first) and _is_memoryless(channel.second)
    return isinstance(channel, MemorylessChannel)


class Cascade(Channel):
    """``first >> second``: what the first channel delivers is sent through the second, whose knob is the cascade's."""

    def __init__(self, first: Channel, second: Channel) -> None:
        super().__init__()
        if first.output == "real" and second.alphabet == "antipodal":
            raise ValueError(
                f"{type(first).__name__} delivers real symbols, but {type(second).__name__} carries antipodal ones"
            )
        names = type(first).__name__, type(second).__name__
        if first.uses(2) > 2:
            raise ValueError("pilots of {} would not pass {}: the gains must be known, pilots=0".format(*names))
        if any(isinstance(stage, TDL) for each in (first, second) for stage in stages(each)):
            raise ValueError("{} >> {}: TDL equalises for its own noise alone; OFDM can be jammed".format(*names))
        self.first, self.second = first, second
        self.alphabet, self.output, self.knob = first.alphabet, second.output, second.knob

    def at(self, level: float) -> Self:
        """The cascade with its second channel at ``level``."""
        return type(self)(self.first, self.second.at(level))

    @property
    def nominal(self) -> MemorylessChannel:
        """The law of both in closed form; NotImplementedError, naming both, where there is none."""
        return self._both(self.first.nominal, self.second.nominal)

    def _both(self, first: MemorylessChannel, second: MemorylessChannel) -> MemorylessChannel:
        law = _law(first, second, words_only=not _is_memoryless(self.second))
        if law is None:
            names = f"{type(self.first).__name__} >> {type(self.second).__name__}"
            raise NotImplementedError(f"{names} has no law in closed form that a receiver could compute with")
        return law

    def transmit(self, x: Tensor, u: Tensor | None = None) -> Received:
        """Through the first, then through the second; the receiver holds the law of both, gains known included."""
        between, first = self.first.transmit(x, u)
        y, second = self.second.transmit(between, u)
        return Received(y, self._both(first, second))

    def forward(self, x: Tensor) -> Tensor:
        """The word received alone, which needs no law."""
        return self.second(self.first(x))

    def against(self, harm: Callable[[Tensor], Tensor]) -> Channel:
        """Both adversaries armed, the first one against what the second makes of its word."""
        armed = self.second.against(harm)
        return type(self)(self.first.against(lambda y: harm(self.second(y))), armed)

    def uses(self, n: int) -> int:
        """Those of the one that takes more."""
        return max(self.first.uses(n), self.second.uses(n))

    def cost(self, n: int) -> int:
        """The slower one's."""
        return max(self.first.cost(n), self.second.cost(n))

    def measure_power(self, draw: Draw) -> None:
        """Each over the words that reach it."""
        self.first.measure_power(draw)

        def passed() -> tuple[Tensor, Tensor | None]:
            x, u = draw()
            return self.first.transmit(x, u).y, u

        self.second.measure_power(passed)
