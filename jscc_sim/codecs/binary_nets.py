"""Nets from images to the logits of binary words, and from received words to images."""

import math
from collections.abc import Callable
from itertools import pairwise

from torch import nn

from jscc_sim.nets import Nets, Shape
from jscc_sim.nets import conv as dcgan

SLOPE = 0.2
# Units of dense layers.
WIDTH = 512
# The standard deviation of logits over images.
SPREAD = 4.0


def paper(shape: Shape, n: int) -> Nets:
    """Those of Choi et al. 2019 and Song et al. 2020: layers of 500 units, or for colour images convolutions.

    The last layer before the word has no bias, nor has the decoder of grey images.
    """
    return _paper_colour(shape, n) if shape[0] > 1 else _paper_grey(shape, n)


def _paper_grey(shape: Shape, n: int) -> Nets:
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


def _paper_colour(shape: Shape, n: int) -> Nets:
    """Three blocks of 64, 32 and 16 channels with pooling, and their mirror, for sides that are multiples of 8."""
    colours, height, across = shape
    if height % 8 or across % 8:
        raise ValueError(f"the paper's convolutions take sides that are multiples of 8, got {height} × {across}")
    channels, low = (64, 32, 16), (height // 8, across // 8)
    features = channels[-1] * math.prod(low)
    down: list[nn.Module] = []
    for inputs, outputs in pairwise((colours, *channels)):
        down += [nn.Conv2d(inputs, outputs, 3, 1, 1), nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)]
    up: list[nn.Module] = [nn.Linear(n, features), nn.Unflatten(-1, (channels[-1], *low))]
    for inputs, outputs in pairwise((channels[-1], *channels[::-1])):
        up += [nn.Conv2d(inputs, outputs, 3, 1, 1), nn.BatchNorm2d(outputs), nn.ReLU(), nn.Upsample(scale_factor=2)]
    up.append(nn.Conv2d(channels[0], colours, 3, 1, 1))
    return nn.Sequential(*down, nn.Flatten(), nn.Linear(features, n, bias=False)), nn.Sequential(*up)


def dense(shape: Shape, n: int) -> Nets:
    """Layers of 512 units with layer norms and SiLU, one before the word and three after it; balanced logits."""
    pixels = math.prod(shape)
    before, after = _normed([pixels, WIDTH]), _normed([n, WIDTH, WIDTH, WIDTH])
    encoder = nn.Sequential(nn.Flatten(), *before, nn.Linear(WIDTH, n, bias=False), _balance(n))
    return encoder, nn.Sequential(*after, nn.Linear(WIDTH, pixels), nn.Unflatten(-1, shape))


def conv(shape: Shape, n: int) -> Nets:
    """The DCGAN-like pair with 64, 128 and 256 channels; balanced logits."""
    encoder, decoder = dcgan(shape, n, n, channels=64)
    return encoder.append(_balance(n)), decoder


def _balance(n: int) -> nn.BatchNorm1d:
    """Logits of mean 0 and a given spread over images, each: symbols that say much, and gradients that last.

    Straight through a decision they fall with the slope of the sigmoid, which logits that grow would leave.
    """
    norm = nn.BatchNorm1d(n).requires_grad_(False)
    nn.init.constant_(norm.weight, SPREAD)
    return norm


def _normed(sizes: list[int]) -> list[nn.Module]:
    found: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        found += [nn.Linear(inputs, outputs), nn.LayerNorm(outputs), nn.SiLU()]
    return found


NETS: dict[str, Callable[[Shape, int], Nets]] = {"paper": paper, "dense": dense, "conv": conv}
# Whose means of grey pixels are those of a linear layer; others are held to [0, 1] by a sigmoid, which helps.
LINEAR = ("paper",)
