"""A link: a source, a codec and a channel that fit."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from channels import Channel
from jscc_sim.codecs import Codec
from jscc_sim.seeds import seeded
from jscc_sim.sources import Source

# Words drawn at a time, in symbols, where an adversary's power is measured.
SYMBOLS = 2**18


class Transmission(NamedTuple):
    """Source words ``u (words, k)``, sent as ``x (words, n)``, received as ``y (words, n)``, decoded to ``u_hat``."""

    u: Tensor
    x: Tensor
    y: Tensor
    u_hat: Tensor


@dataclass(frozen=True, eq=False)
class Link:
    """Source, codec and channel; ValueError where neighbours differ in alphabet or word length.

    A transmitter that adapts to the channel counts on what its codec was told last (`Codec.told`), right or wrong.
    """

    source: Source
    codec: Codec
    channel: Channel

    def __post_init__(self) -> None:
        source, codec, channel = self.source, self.codec, self.channel
        names = [type(part).__name__ for part in (source, codec, channel)]
        if source.alphabet != codec.source_alphabet:
            raise ValueError(
                f"{names[1]} encodes {codec.source_alphabet} symbols, but {names[0]} draws {source.alphabet}"
            )
        if source.k != codec.k:
            raise ValueError(f"{names[1]} encodes words of {codec.k}, but {names[0]} draws words of {source.k}")
        if channel.alphabet == "antipodal" and codec.alphabet != "antipodal":
            raise ValueError(f"{names[2]} carries antipodal symbols, but {names[1]} sends {codec.alphabet} ones")

    def transmit(self, words: int) -> Transmission:
        """Draw so many source words and send them, adversaries being armed with the codec's own harm."""
        u = self.source.draw(words)
        x = self.codec.encode(u)
        channel = self.channel.against(lambda y: self.codec.harm(u, y, self.channel.nominal))
        y, law = channel.transmit(x, u)
        return Transmission(u, x, y, self.codec.decode(y, law))

    def eval(self) -> "Link":
        """The link with codec and channel in evaluation: all powers frozen, those of adversaries over its own words."""
        link = Link(self.source, self.codec.eval(), self.channel.eval())
        words = max(1, SYMBOLS // self.codec.n)

        def draw() -> tuple[Tensor, Tensor]:
            u = self.source.draw(words)
            return self.codec.encode(u), u

        with seeded(0), torch.no_grad():
            self.channel.measure_power(draw)
        return link
