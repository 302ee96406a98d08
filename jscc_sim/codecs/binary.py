"""Neural codecs that send images as bits: over any channel of antipodal symbols."""

import math

from torch import Tensor, nn

from channels import MemorylessChannel
from jscc_sim.codecs.base import Codec
from jscc_sim.codecs.binary_nets import LINEAR, NETS
from jscc_sim.gradients import decide_through, draw_through
from jscc_sim.nets import Shape, as_images, as_words
from jscc_sim.sources import checked_count
from jscc_sim.spelling import known

# What a pixel is said to be, given the decoder's number for it.
PIXELS = ("gaussian", "bernoulli")


class BinaryCodec(Codec):
    """Images ``u (..., k)`` as words of ``n`` antipodal symbols, by an encoder that knows how likely each is.

    ``shape`` is that of the images, ``(channels, height, width)``; their pixels, in [0, 1], come row by row, the
    colours of each together.

    Symbol i is −1, that is bit 1, with probability σ(logit_i), independently of the others (NECST, Choi et al. 2019).
    Each is the likelier one, or with ``sampled`` is drawn; gradients pass straight through. ``pixels`` says what the
    decoder's numbers are: means of grey values, whose loss is the squared error, or logits of black and white ones,
    whose loss is the cross-entropy in nats. Without ``erasures`` the decoder refuses words with an erased symbol, which
    it never learned from.
    """

    alphabet = "antipodal"

    def __init__(
        self,
        shape: Shape = (1, 28, 28),
        n: int = 100,
        net: str = "dense",
        *,
        pixels: str = "gaussian",
        erasures: bool = False,
        sampled: bool = False,
    ) -> None:
        super().__init__()
        known("net", net, NETS)
        known("pixels", pixels, PIXELS)
        colours, height, width = shape
        self.shape, self.n, self.k = (colours, height, width), checked_count("n", n), math.prod(shape)
        self.net, self.pixels, self.erasures, self.sampled = net, pixels, erasures, sampled
        self.encoder, self.decoder = NETS[net](self.shape, n)
        if pixels == "gaussian" and net not in LINEAR:
            self.decoder.append(nn.Sigmoid())

    def logits(self, u: Tensor) -> Tensor:
        """Of each symbol's being −1, ``(..., n)``."""
        if u.shape[-1] != self.k:
            raise ValueError(f"the codec is for images of {self.shape}, {self.k} pixels, got {u.shape[-1]}")
        found: Tensor = self.encoder(as_images(u, self.shape))
        return found.view(*u.shape[:-1], self.n)

    def probability(self, u: Tensor) -> Tensor:
        """Of each symbol's being −1, ``(..., n)``."""
        return self.logits(u).sigmoid()

    def encode(self, u: Tensor) -> Tensor:
        """The word, whose gradient is that of the mean of drawn ones."""
        chance = self.probability(u)
        return draw_through(chance, 1)[0] if self.sampled else decide_through(chance)

    def decode(self, y: Tensor, law: MemorylessChannel) -> Tensor:
        """The pixels' means ``(..., k)``; the decoder learned its law, whatever it is told now."""
        return self._means(self._numbers(y))

    def loss(self, u: Tensor, y: Tensor, law: MemorylessChannel) -> Tensor:
        """The squared error, or the cross-entropy in nats, per pixel."""
        numbers = self._numbers(y)
        if self.pixels == "bernoulli":
            return nn.functional.binary_cross_entropy_with_logits(numbers, u.expand_as(numbers), reduction="none").mean(
                -1
            )
        return (u - self._means(numbers)).square().mean(-1)

    def _numbers(self, y: Tensor) -> Tensor:
        if not self.erasures and bool((y == 0).any()):
            raise ValueError("this decoder never met an erasure: train it over a channel that erases, such as bec")
        found: Tensor = self.decoder(y.reshape(-1, self.n))
        return as_words(found).reshape(*y.shape[:-1], self.k)

    def _means(self, numbers: Tensor) -> Tensor:
        return numbers.sigmoid() if self.pixels == "bernoulli" else numbers

    def extra_repr(self) -> str:
        """What it was made of; the weights enter by digest."""
        made = f"shape={self.shape!r}, n={self.n}, net={self.net!r}, pixels={self.pixels!r}"
        return f"{made}, erasures={self.erasures}, sampled={self.sampled}"
