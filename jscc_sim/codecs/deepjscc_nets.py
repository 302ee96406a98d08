"""Convolutional nets of DeepJSCC: from images to channel symbols and back, that may be told the SNR."""

import math
from fractions import Fraction
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, pixel_shuffle, pixel_unshuffle

from jscc_sim.codecs.scale import Scale
from jscc_sim.nets import Shape

# Sides of the grid of symbols over those of the image.
STRIDE = 4
# Of a neuron that has been told the SNR, how many times fewer there are than channels.
SQUEEZE = 4
# Of residual nets: channels, blocks on either side, and of a pixel's value the mean and the spread.
WIDTH, SENDING, RECEIVING, MEAN, SPREAD = 64, 3, 4, 0.5, 0.25
# What is left of the slope where GELU has none: without it whole blocks of channels were silent for good.
LEAK = 0.1


class Attention(nn.Module):
    """Channels weighed by their own means and the SNR in dB (Xu et al., arXiv 2012.00533)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = max(1, channels // SQUEEZE)
        self.weigh = nn.Sequential(
            nn.Linear(channels + 1, narrow), nn.ReLU(), nn.Linear(narrow, channels), nn.Sigmoid()
        )

    def forward(self, features: Tensor, snr_db: Tensor) -> Tensor:
        """Features ``(batch, channels, height, width)``, of SNRs ``(batch, 1)``."""
        told = torch.cat([features.mean((2, 3)), snr_db.to(features) / 10], 1)
        return features * self.weigh(told)[:, :, None, None]


class Stack(nn.Module):
    """Layers one after the other, with attention after each but the last if it is ``adaptive``."""

    def __init__(self, layers: list[nn.Module], widths: list[int], *, adaptive: bool) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.attentions = nn.ModuleList([Attention(width) for width in widths[:-1]] if adaptive else [])

    def forward(self, features: Tensor, snr_db: Tensor) -> Tensor:
        """Features after the last layer."""
        for index, layer in enumerate(self.layers):
            features = layer(features)
            if index < len(self.attentions):
                features = self.attentions[index](features, snr_db)
        return features


def ratio_step(shape: Shape) -> Fraction:
    """The least bandwidth ratio, complex uses per value of an image, of which all others are multiples."""
    places = _places(shape)
    return Fraction(math.lcm(places, 2), 2 * math.prod(shape))


def symbols_per_place(shape: Shape, n: int) -> int:
    """How many of ``n`` symbols lie at each place of the grid; ValueError unless it is a whole number."""
    places = _places(shape)
    if n < places or n % places:
        wrong = f"words of images of {shape[1]} × {shape[2]} have a multiple of {places} symbols, got {n}"
        raise ValueError(f"{wrong}: try {places * max(1, round(n / places))}")
    return n // places


def _places(shape: Shape) -> int:
    """Of the grid of symbols."""
    _, height, width = shape
    if height % STRIDE or width % STRIDE:
        raise ValueError(f"images must have sides that are multiples of {STRIDE}, got {height} × {width}")
    return height * width // STRIDE**2


def paper(shape: Shape, n: int, *, adaptive: bool = False) -> tuple[Stack, Stack]:
    """Five convolutions of 5 × 5, two with stride 2, with 16 and 32 channels, and their mirror (Bourtsoulatze 2019)."""
    here, colours = symbols_per_place(shape, n), shape[0]
    down = [colours, 16, 32, 32, 32, here]
    encoder = [
        nn.Sequential(nn.Conv2d(inputs, outputs, 5, 2 if index < 2 else 1, 2), *_activation(outputs, last=index == 4))
        for index, (inputs, outputs) in enumerate(pairwise(down))
    ]
    up = [here, 32, 32, 32, 16, colours]
    decoder = [
        nn.Sequential(_up(inputs, outputs, 1 if index < 3 else 2), *_activation(outputs, last=index == 4))
        for index, (inputs, outputs) in enumerate(pairwise(up))
    ]
    decoder[-1].append(nn.Sigmoid())
    return Stack([*encoder], down[1:], adaptive=adaptive), Stack([*decoder], up[1:], adaptive=adaptive)


def _activation(channels: int, *, last: bool) -> list[nn.Module]:
    return [] if last else [nn.PReLU(channels)]


def _up(inputs: int, outputs: int, stride: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(inputs, outputs, 5, stride, 2, output_padding=stride - 1)


class Block(nn.Module):
    """Two convolutions of 3 × 3 that add to what they are given, nothing at first; told the SNR if ``adaptive``."""

    def __init__(self, channels: int, *, adaptive: bool) -> None:
        super().__init__()
        self.inner, self.outer = (nn.Conv2d(channels, channels, 3, 1, 1) for _ in range(2))
        self.told = nn.Linear(1, channels) if adaptive else None
        for weights in self.outer.parameters():
            nn.init.zeros_(weights)

    def forward(self, features: Tensor, snr_db: Tensor) -> Tensor:
        """Features ``(batch, channels, height, width)``, of SNRs ``(batch, 1)``."""
        hidden = self.inner(features)
        if self.told is not None:
            hidden = hidden + self.told(snr_db.to(features) / 10 - 1)[:, :, None, None]
        return features + self.outer(gelu(hidden) + LEAK * hidden)


class Grid(nn.Module):
    """Blocks between two convolutions, all on the grid of symbols."""

    def __init__(self, inputs: int, outputs: int, blocks: int, *, adaptive: bool) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(inputs, WIDTH, 3, 1, 1), nn.Conv2d(WIDTH, outputs, 3, 1, 1)
        self.blocks = nn.ModuleList(Block(WIDTH, adaptive=adaptive) for _ in range(blocks))

    def forward(self, features: Tensor, snr_db: Tensor) -> Tensor:
        """Outputs ``(batch, outputs, height, width)``."""
        features = self.first(features)
        for block in self.blocks:
            features = block(features, snr_db)
        return self.last(features)


class Sender(nn.Module):
    """Images, folded to the grid of symbols, as words that tell their scale."""

    def __init__(self, shape: Shape, n: int, *, adaptive: bool) -> None:
        super().__init__()
        here = symbols_per_place(shape, n)
        self.grid, self.scale = Grid(shape[0] * STRIDE**2, here, SENDING, adaptive=adaptive), Scale(n)

    def forward(self, images: Tensor, snr_db: Tensor) -> Tensor:
        """Words ``(batch, n)``."""
        folded = pixel_unshuffle((images - MEAN) / SPREAD, STRIDE)
        return self.scale.tell(self.grid(folded, snr_db).flatten(1).float())


class Receiver(nn.Module):
    """Words whose scale is heard as images."""

    def __init__(self, shape: Shape, n: int, *, adaptive: bool) -> None:
        super().__init__()
        here = symbols_per_place(shape, n)
        self.grid, self.scale = Grid(here, shape[0] * STRIDE**2, RECEIVING, adaptive=adaptive), Scale(n)

    def forward(self, symbols: Tensor, snr_db: Tensor) -> Tensor:
        """Images ``(batch, colours, height, width)`` of linear estimates of symbols, on their grid."""
        heard = self.scale.hear(symbols.flatten(1), snr_db).view_as(symbols)
        return MEAN + SPREAD * pixel_shuffle(self.grid(heard, snr_db), STRIDE)


def residual(shape: Shape, n: int, *, adaptive: bool = False) -> tuple[Sender, Receiver]:
    """Residual blocks on the grid of symbols, which tell each word's scale: learns much faster than the paper's."""
    return Sender(shape, n, adaptive=adaptive), Receiver(shape, n, adaptive=adaptive)


NETS = {"paper": paper, "residual": residual}
