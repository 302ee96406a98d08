"""Images out of a codec alone: a Markov chain of words through the channel and images from words (Eq. 32)."""

from collections.abc import Iterator

import torch
from torch import Tensor

from channels import Channel
from jscc_sim.bits.distortion import drawing
from jscc_sim.codecs import BinaryCodec


@torch.no_grad()
def chain(codec: BinaryCodec, channel: Channel, u: Tensor) -> Iterator[Tensor]:
    """Images ``(count, k)`` step by step, from ``u`` on: drawn words are received, and decoded to the next images.

    Grey images are the decoder's means, black-and-white ones are drawn (Song et al. 2020, as NECST before it).
    """
    sender = drawing(codec)
    while True:
        means = sender.decode(channel(sender.encode(u)), channel.nominal)
        u = torch.bernoulli(means) if codec.pixels == "bernoulli" else means.clamp(0, 1)
        yield u
