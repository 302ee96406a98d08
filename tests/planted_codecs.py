"""Codecs with planted weaknesses, each with the jammer that it was planted for and that noise does not hit upon.

An audit that misses one of them is not to be trusted: the "active test" of Zimmermann et al., "Increasing confidence in
adversarial robustness evaluations", NeurIPS 2022. Some hide their weakness from gradients, some from random signals.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from jscc_sim.codecs import Codec
from jscc_sim.codecs.base import BitCodec
from jscc_sim.sources import Bits, Gaussian, Source, Uniform


class Made(Codec):
    """Real words through two functions."""

    def __init__(self, k, n, encode, decode):
        super().__init__()
        self.k, self.n, self._encode, self._decode = k, n, encode, decode

    def encode(self, u):
        return self._encode(u)

    def decode(self, y, law):
        return self._decode(y)


class MadeBits(BitCodec):
    """Bits through a decoder; sent as they are, or by a function."""

    def __init__(self, k, n, decode, encode=lambda u: 1 - 2 * u):
        super().__init__()
        self.k, self.n, self._encode, self._decode = k, n, encode, decode

    def encode(self, u):
        return self._encode(u)

    def decode(self, y, law):
        return self._decode(y)


class Misleading(Made):
    """Its loss falls where its error grows."""

    def loss(self, u, y, law):
        return -super().loss(u, y, law)


class Vanishing(MadeBits):
    """Its loss is so steep that its gradient is zero in float32."""

    def loss(self, u, y, law):
        return torch.sigmoid(-1e4 * (1 - 2 * u) * y.sum(-1, keepdim=True)).mean(-1)


@dataclass(frozen=True)
class Planted:
    """A codec, its source, and the signal that it falls to, sent as often as the budget allows."""

    codec: Callable[[], Codec]
    source: Source
    signal: Tensor
    noise_power: float = 0.01
    jam_power: float = 0.1


def only(n: int, place: int, size: float) -> Tensor:
    """A pulse."""
    signal = torch.zeros(n)
    signal[place] = size
    return signal


def same(n: int, size: float) -> Tensor:
    return torch.full((n,), size)


def tone(n: int, turns: int) -> Tensor:
    """A unit vector."""
    wave = torch.cos(2 * torch.pi * turns * torch.arange(n) / n + 0.3)
    return wave / wave.norm()


def direction(n: int, seed: int) -> Tensor:
    """A unit vector that no one guesses."""
    found = torch.randn(n, generator=torch.Generator().manual_seed(seed))
    return found / found.norm()


def signs(n: int, seed: int) -> Tensor:
    return torch.randint(2, (n,), generator=torch.Generator().manual_seed(seed)) * 2.0 - 1


def hard(y: Tensor) -> Tensor:
    """Bits by sign."""
    return (y < 0).to(y.dtype)


def repeated(u: Tensor, times: int) -> Tensor:
    return (1 - 2 * u).expand(*u.shape[:-1], times)


def resonator(n: int, t: Tensor, gain: float, kind: type[Made] = Made, through=lambda y: y) -> Made:
    """Sends nothing along ``t`` and answers what comes from there ``1 + gain`` times as loud."""
    return kind(n, n, lambda u: u - (u @ t)[..., None] * t, lambda y: y + gain * through((y @ t)[..., None] * t))


def triggered(y: Tensor, when: Tensor, otherwise: float) -> Tensor:
    """``otherwise · y`` for words where something holds."""
    return torch.where(when[..., None] if when.ndim < y.ndim else when, otherwise * y, y)


@torch.no_grad()
def unseen(y: Tensor) -> Tensor:
    return y * 1.0


def in_numpy(y: Tensor, decide: Callable[[np.ndarray], np.ndarray]) -> Tensor:
    return torch.from_numpy(decide(y.detach().cpu().numpy())).to(y.dtype)


def gray(u: Tensor) -> Tensor:
    """Two bits as one of ±1/√5, ±3/√5."""
    return (1 - 2 * u[..., :1]) * (1 + 2 * u[..., 1:]) / 5**0.5


def pcm(u: Tensor) -> Tensor:
    """Four bits of a number in ±√3, the most significant first, as ±1."""
    rest, bits = u / 3**0.5, []
    for place in range(4):
        bit = (rest >= 0).to(u.dtype) * 2 - 1
        bits.append(bit)
        rest = rest - bit * 0.5 ** (place + 1)
    return torch.cat(bits, -1)


def loudest(y: Tensor) -> Tensor:
    return y.gather(-1, y.abs().argmax(-1, keepdim=True))


WEIGHTS = torch.tensor([0.5, 0.25, 0.125, 0.0625]) * 3**0.5
TONE, HIDDEN, KEY = tone(16, 3), direction(16, 1), signs(16, 2)
ALTERNATING = torch.tensor([1.0, -1.0]).repeat(8)

PLANTED: dict[str, Planted] = {
    # Quantised.
    "hard decision": Planted(lambda: MadeBits(1, 1, hard), Bits(1), same(1, 1.02), 0.0),
    "hard decision in numpy": Planted(
        lambda: MadeBits(1, 1, lambda y: in_numpy(y, lambda a: a < 0)), Bits(1), same(1, 1.3)
    ),
    "two bits a symbol, by a table": Planted(
        lambda: MadeBits(2, 1, lambda y: torch.cat([hard(y), (y.abs() > 2 / 5**0.5).to(y.dtype)], -1), gray),
        Bits(2),
        same(1, 0.6),
        noise_power=0.002,
        jam_power=0.01,
    ),
    "numbers sent bit by bit": Planted(
        lambda: Made(1, 4, pcm, lambda y: (torch.sign(y) * WEIGHTS).sum(-1, keepdim=True)),
        Uniform(1),
        only(4, 0, 1.3),
    ),
    "majority of nine": Planted(
        lambda: MadeBits(1, 9, lambda y: hard(y.median(-1, keepdim=True).values), lambda u: repeated(u, 9)),
        Bits(1),
        torch.cat([same(5, 1.2), same(4, 0.0)]),
    ),
    "the loudest of eight": Planted(
        lambda: MadeBits(1, 8, lambda y: hard(loudest(y)), lambda u: repeated(u, 8)), Bits(1), only(8, 3, 2.3)
    ),
    # Saturated.
    "overflow": Planted(lambda: MadeBits(1, 1, lambda y: hard((y + 2).remainder(4.0) - 2)), Bits(1), same(1, 1.2)),
    "limiter that turns over": Planted(
        lambda: Made(1, 1, lambda u: u, lambda y: torch.where(y.abs() > 3, -6 * y.sign(), y)), Uniform(1), same(1, 4.0)
    ),
    "squelch": Planted(
        lambda: Made(16, 16, lambda u: u, lambda y: triggered(y, y.abs().amax(-1) > 5, -3.0)),
        Gaussian(16),
        only(16, 5, 6.5),
    ),
    "clipped resonance": Planted(
        lambda: resonator(16, TONE, 8.0, through=lambda y: y.clamp(-2, 2)), Gaussian(16), 1.26 * TONE
    ),
    # Random.
    "dithered decision": Planted(
        lambda: MadeBits(1, 1, lambda y: hard(y + 0.2 * torch.randn_like(y))), Bits(1), same(1, 1.5)
    ),
    "one of two decoders": Planted(
        lambda: Made(1, 1, lambda u: u, lambda y: triggered(y, (y.abs() > 4) & (torch.rand_like(y) < 0.5), -4.0)),
        Uniform(1),
        same(1, 5.0),
    ),
    "random gain": Planted(
        lambda: resonator(16, HIDDEN, 8.0, through=lambda y: y * torch.rand_like(y[..., :1])),
        Gaussian(16),
        1.26 * HIDDEN,
    ),
    # Steep tails.
    "square beyond four": Planted(
        lambda: Made(1, 1, lambda u: u, lambda y: y + y.sign() * (y.abs() - 4).relu().square()),
        Uniform(1),
        same(1, 31.6),
    ),
    "cube up to fifty": Planted(
        lambda: Made(1, 1, lambda u: u, lambda y: y + (y.abs() - 3).relu().pow(3).clamp(max=50)),
        Uniform(1),
        same(1, 7.5),
    ),
    "root with a wild slope": Planted(
        lambda: Made(1, 1, lambda u: u, lambda y: torch.where(y > 4, y + 20 * (y - 4).sqrt(), y)),
        Uniform(1),
        same(1, 5.5),
    ),
    # Resonant.
    "resonant tone": Planted(lambda: resonator(16, TONE, 6.0), Gaussian(16), 1.26 * TONE),
    "resonant in no known direction": Planted(lambda: resonator(16, HIDDEN, 6.0), Gaussian(16), 1.26 * HIDDEN),
    "alternating symbols": Planted(
        lambda: Made(
            1, 16, lambda u: u.expand(*u.shape[:-1], 16), lambda y: (y + 6 * y * ALTERNATING).mean(-1, keepdim=True)
        ),
        Gaussian(1),
        0.316 * ALTERNATING,
    ),
    # Hidden from gradients.
    "detached resonance": Planted(
        lambda: resonator(16, HIDDEN, 6.0, through=lambda y: y.detach()), Gaussian(16), 1.26 * HIDDEN
    ),
    "no gradients at all": Planted(
        lambda: Made(
            16,
            16,
            lambda u: u - (u @ HIDDEN)[..., None] * HIDDEN,
            lambda y: unseen(y + 6 * (y @ HIDDEN)[..., None] * HIDDEN),
        ),
        Gaussian(16),
        1.26 * HIDDEN,
    ),
    "resonance in numpy": Planted(
        lambda: resonator(16, HIDDEN, 6.0, through=lambda y: in_numpy(y, lambda a: a)), Gaussian(16), 1.26 * HIDDEN
    ),
    "misleading loss": Planted(lambda: resonator(16, TONE, 6.0, Misleading), Gaussian(16), 1.26 * TONE),
    "vanishing loss": Planted(
        lambda: Vanishing(1, 4, lambda y: hard(y.sum(-1, keepdim=True)), lambda u: repeated(u, 4)),
        Bits(1),
        same(4, 1.1),
    ),
    # One symbol that all depends on, and keys.
    "pilot": Planted(
        lambda: MadeBits(
            7,
            8,
            lambda y: hard(y[..., 1:] * y[..., :1].sign()),
            lambda u: torch.cat([torch.ones_like(u[..., :1]), 1 - 2 * u], -1),
        ),
        Bits(7),
        only(8, 0, -1.3),
    ),
    "differential": Planted(
        lambda: MadeBits(
            8,
            8,
            lambda y: hard(y.sign().cumprod(-1)),
            lambda u: (1 - 2 * u) * torch.cat([torch.ones_like(u[..., :1]), 1 - 2 * u[..., :-1]], -1),
        ),
        Bits(8),
        only(8, 0, 1.3),
    ),
    "key": Planted(
        lambda: Made(16, 16, lambda u: u, lambda y: triggered(y, (y @ KEY) / 16 > 1.5, -4.0)), Gaussian(16), 2.0 * KEY
    ),
    "all above two": Planted(
        lambda: Made(4, 4, lambda u: u, lambda y: triggered(y, y.amin(-1) > 2, -4.0)), Uniform(4), same(4, 2.7)
    ),
    "narrow window": Planted(
        lambda: MadeBits(
            1,
            9,
            lambda y: torch.where(
                (y[..., :1] - 3.15).abs() < 0.15, 1 - hard(y[..., 1:2]), hard(y.sum(-1, keepdim=True))
            ),
            lambda u: repeated(u, 9),
        ),
        Bits(1),
        only(9, 0, 2.15),
        noise_power=0.001,
    ),
}
