"""Nets from images to numbers, their mirrors from numbers to images, whose last layer is linear, and what they eat."""

import math
from itertools import pairwise

from torch import Tensor, nn

# Channels, height and width of images.
Shape = tuple[int, int, int]
Nets = tuple[nn.Sequential, nn.Sequential]


def as_images(words: Tensor, shape: Shape) -> Tensor:
    """``(count, channels, height, width)`` of words ``(..., k)``: row by row, the colours of each pixel together."""
    colours, height, width = shape
    return words.reshape(-1, height, width, colours).movedim(-1, 1)


def as_words(images: Tensor) -> Tensor:
    """Back again, ``(count, k)``."""
    return images.movedim(1, -1).flatten(1)


def mlp(shape: Shape, width: int, d: int) -> Nets:
    """An encoder to ``width`` numbers with hidden layers of 256 and 128 units, and its mirror from ``d``."""
    pixels = math.prod(shape)
    encoder = nn.Sequential(nn.Flatten(), *_layers(pixels, 256, 128, width))
    decoder = nn.Sequential(*_layers(d, 128, 256, pixels), nn.Unflatten(1, shape))
    return encoder, decoder


def _layers(*sizes: int) -> list[nn.Module]:
    found: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        found += [nn.Linear(inputs, outputs), nn.ReLU()]
    return found[:-1]


def conv(shape: Shape, width: int, d: int, channels: int = 32) -> Nets:
    """A DCGAN-like pair: three strided convolutions of ``channels``, twice and four times as many, and their mirror.

    Images of sides that are no multiple of 8 are padded to one, and cropped again.
    """
    colours, height, width_px = shape
    low = math.ceil(height / 8), math.ceil(width_px / 8)
    sizes = (colours, channels, 2 * channels, 4 * channels)
    down: list[nn.Module] = [nn.ZeroPad2d(_margins(height, width_px))]
    for inputs, outputs in pairwise(sizes):
        down += [nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2)]
    features = sizes[-1] * math.prod(low)
    encoder = nn.Sequential(*down, nn.Flatten(), nn.Linear(features, width))
    up: list[nn.Module] = [nn.Linear(d, features), nn.Unflatten(1, (sizes[-1], *low))]
    for inputs, outputs in zip(sizes[:1:-1], sizes[-2:0:-1], strict=True):
        up += [nn.BatchNorm2d(inputs), nn.ReLU(), nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False)]
    up += [nn.BatchNorm2d(channels), nn.ReLU(), nn.ConvTranspose2d(channels, colours, 4, 2, 1)]
    left, right, top, bottom = _margins(height, width_px)
    return encoder, nn.Sequential(*up, nn.ZeroPad2d((-left, -right, -top, -bottom)))


def _margins(height: int, width: int) -> tuple[int, int, int, int]:
    """Left, right, top and bottom, to multiples of 8."""
    across, down = -width % 8, -height % 8
    return across // 2, across - across // 2, down // 2, down - down // 2
