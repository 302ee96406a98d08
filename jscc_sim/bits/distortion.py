"""What a codec of bits is worth: its error of unseen images over draws of the channel."""

import copy
from typing import NamedTuple

import torch
from torch import Tensor

from channels import Channel
from jscc_sim.codecs import BinaryCodec, Codec
from jscc_sim.seeds import seeded
from jscc_sim.tally import standard_error

# Images at a time.
TOGETHER = 1000
# From the seed of the channel's draws to that of a transmitter which searches on its own; of seeds torch reads 32 bits.
APART = 2**31


class Distortion(NamedTuple):
    """The mean error of an image, and its standard error over images."""

    mean: float
    error: float


@torch.no_grad()
def distortion(
    codec: Codec, channel: Channel, images: Tensor, *, draws: int = 10, squared: bool = False, seed: int = 0
) -> Distortion:
    """Of images ``(count, k)``, each sent so often, in float32, summed over pixels: the codec's loss.

    With ``squared`` it is the squared error of what is decoded. The channel's draws are the same for all codecs whose
    words are not drawn. The codec is in evaluation meanwhile; one that searches tries flips in the fastest numbers of
    the machine.
    """
    trained, drawn, device = codec.training, getattr(codec, "sampled", False), str(images.device)
    codec.eval()
    parts, totals = images.split(TOGETHER), torch.zeros(len(images), dtype=torch.float64)
    try:
        with seeded(seed + APART, device):
            sent = [None if drawn else codec.encode(part) for part in parts]
        with seeded(seed, device):
            for part, word, total in zip(parts, sent, totals.split(TOGETHER), strict=True):
                for _ in range(draws):
                    x = codec.encode(part) if word is None else word
                    total += _errors(codec, channel, part, x, squared=squared).cpu()
    finally:
        codec.train(trained)
    errors_of_images = totals / draws
    return Distortion(float(errors_of_images.mean()), standard_error(errors_of_images))


def drawing(codec: BinaryCodec) -> BinaryCodec:
    """The same codec, whose words are drawn in evaluation too."""
    other = copy.copy(codec)
    other.sampled = True
    return other


@torch.no_grad()
def words(codec: Codec, images: Tensor) -> Tensor:
    """``(count, n)`` of images ``(count, k)``, so many at a time as memory is sure to hold."""
    return torch.cat([codec.encode(part) for part in images.split(TOGETHER)])


def received(codec: Codec, channel: Channel, u: Tensor, x: Tensor) -> Tensor:
    """What arrives of words ``x (..., n)``, an adversary raising the codec's loss of the images ``u (..., k)``."""
    return channel.against(lambda y: codec.loss(u, y, channel.nominal))(x)


def _errors(codec: Codec, channel: Channel, u: Tensor, x: Tensor, *, squared: bool) -> Tensor:
    """The error of each image ``u``, sent once as ``x``."""
    y, law = received(codec, channel, u, x), channel.nominal
    errors = (u - codec.decode(y, law)).square().sum(-1) if squared else codec.k * codec.loss(u, y, law)
    return errors.double()
