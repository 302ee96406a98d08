"""What is attacked: a codec, the words it sends and the law that its receiver believes in, behind one function."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from channels import AWGN
from jscc_sim.codecs import Codec
from jscc_sim.factory import said
from jscc_sim.link import Transmission
from jscc_sim.metrics import bit_errors
from jscc_sim.sources import Source

# Symbols decoded at a time.
SYMBOLS = 2**17


class Words(NamedTuple):
    """Source words ``u (words, k)``, sent as ``x (words, n)``, and what nature makes of them, ``heard = x + noise``."""

    u: Tensor
    x: Tensor
    heard: Tensor


@dataclass(frozen=True, eq=False)
class Victim:
    """A codec against a jammer of power PA in noise of power N, both per symbol.

    The receiver believes in Gaussian noise of power ``N + PA`` throughout, as it does behind `channels.Jammer`. The
    stake of a word is the share of wrong bits, or the squared error per source symbol. Whatever goes wrong within the
    codec is a ValueError of one line.
    """

    codec: Codec
    source: Source
    jam_power: float
    noise_power: float

    @property
    def law(self) -> AWGN:
        """What the receiver believes."""
        return AWGN(self.noise_power + self.jam_power)

    @property
    def bits(self) -> bool:
        """Whether the stake is the bit error rate."""
        return self.codec.source_alphabet == "bits"

    @torch.no_grad()
    def draw(self, words: int) -> Words:
        """Fresh words, sent through nature's noise."""
        u = self.source.draw(words)
        x = checked("encode", lambda: self.codec.encode(u), (words, self.codec.n))
        return Words(u, x, x + math.sqrt(self.noise_power) * torch.randn_like(x) if self.noise_power else x)

    @torch.no_grad()
    def decode(self, y: Tensor) -> Tensor:
        """The estimates ``û (words, k)``; ValueError unless they are finite and of the right shape."""
        return checked("decode", lambda: self.codec.decode(y.clone(), self.law), (len(y), self.codec.k), y)

    def stakes(self, u: Tensor, y: Tensor) -> Tensor:
        """``(words,)``, float64: what each word received costs."""
        decoded = self.decode(y)
        if self.bits:
            return bit_errors(Transmission(u, y, y, decoded)).double()  # what was sent does not count
        return (decoded - u).double().square().mean(-1)

    def blocks_lost(self, u: Tensor, y: Tensor) -> Tensor:
        """``(words,)``: true where any bit is wrong."""
        return (self.decode(y) != u).any(-1)

    def harms(self, signals: Tensor, words: Words) -> Tensor:
        """``(m,)``: the mean stake under each of ``signals (m, n)``, all on the same words."""
        count, n = words.heard.shape
        step = max(1, SYMBOLS // (count * max(n, self.codec.k)))
        return torch.cat([self._harms(part, words) for part in signals.split(step)])

    def _harms(self, signals: Tensor, words: Words) -> Tensor:
        m, (count, n) = len(signals), words.heard.shape
        y = (words.heard + signals.to(words.heard).unsqueeze(1)).reshape(m * count, n)
        return self.stakes(words.u.repeat(m, 1), y).view(m, count).mean(1)


def checked(name: str, call: Callable[[], Tensor], shape: tuple[int, int], y: Tensor | None = None) -> Tensor:
    """What the codec's part gives; ValueError of one line if it fails or gives something else than finite numbers."""
    try:
        found = call()
    except Exception as error:  # a user's codec may raise anything
        raise ValueError(f"{name} of the codec failed on {shape[0]} words: {said(error)}") from None
    if not isinstance(found, Tensor) or tuple(found.shape) != shape:
        got = f"shape {tuple(found.shape)}" if isinstance(found, Tensor) else f"{type(found).__name__}, no tensor"
        raise ValueError(f"{name} of the codec gave {got}, but shape {shape} is right")
    if not found.isfinite().all():
        loud = "" if y is None else f" for words received with |y| up to {float(y.abs().max()):.4g}"
        raise ValueError(f"{name} of the codec gave numbers that are not finite{loud}")
    return found
