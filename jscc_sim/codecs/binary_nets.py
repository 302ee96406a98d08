"""Nets from images to the logits of binary words, and from received words to images."""

import math
from collections.abc import Callable
from itertools import pairwise

from torch import nn

# Channels, height and width of images.
Shape = tuple[int, int, int]
Nets = tuple[nn.Module, nn.Module]
SLOPE = 0.2


def paper(shape: Shape, n: int) -> Nets:
    """Those of Choi et al. 2019 for MNIST: 500 units before the word, twice 500 after it; no bias next to the word."""
    pixels = math.prod(shape)
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(pixels, 500), nn.LeakyReLU(SLOPE), nn.Linear(500, n, bias=False))
    decoder = nn.Sequential(
        nn.Linear(n, 500, bias=False),
        nn.LeakyReLU(SLOPE),
        nn.Linear(500, 500, bias=False),
        nn.LeakyReLU(SLOPE),
        nn.Linear(500, pixels, bias=False),
        nn.Unflatten(-1, shape),
    )
    return encoder, decoder


def wide(shape: Shape, n: int, width: int = 1024, depth: int = 3) -> Nets:
    """Layers of 1,024 units with layer norms and SiLU, ``depth`` before the word and two after it."""
    pixels = math.prod(shape)
    before = [pixels, *[width] * depth]
    encoder = nn.Sequential(nn.Flatten(), *_normed(before), nn.Linear(width, n, bias=False))
    decoder = nn.Sequential(*_normed([n, width, width]), nn.Linear(width, pixels), nn.Unflatten(-1, shape))
    return encoder, decoder


def conv(shape: Shape, n: int, channels: int = 64) -> Nets:
    """Three strided convolutions and their mirror, for images whose sides are multiples of 8."""
    colours, height, across = shape
    if height % 8 or across % 8:
        raise ValueError(f"convolutional nets take images whose sides are multiples of 8, got {height} × {across}")
    top, low = 4 * channels, (height // 8, across // 8)
    features = top * math.prod(low)
    encoder = nn.Sequential(
        *_down(colours, channels),
        *_down(channels, 2 * channels),
        *_down(2 * channels, top),
        nn.Flatten(),
        nn.Linear(features, n, bias=False),
    )
    decoder = nn.Sequential(
        nn.Linear(n, features),
        nn.Unflatten(-1, (top, *low)),
        *_up(top, 2 * channels),
        *_up(2 * channels, channels),
        nn.BatchNorm2d(channels),
        nn.SiLU(),
        nn.ConvTranspose2d(channels, colours, 4, 2, 1),
    )
    return encoder, decoder


def _normed(sizes: list[int]) -> list[nn.Module]:
    found: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        found += [nn.Linear(inputs, outputs), nn.LayerNorm(outputs), nn.SiLU()]
    return found


def _down(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.SiLU()]


def _up(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(inputs), nn.SiLU(), nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False)]


NETS: dict[str, Callable[[Shape, int], Nets]] = {"paper": paper, "wide": wide, "conv": conv}
