"""A small codec of bits, and pictures to learn from in seconds."""

from dataclasses import replace
from functools import cache

import numpy as np
import torch

from channels import BSC
from jscc_sim.bits import BEST, OBJECTIVES, Recipe, Study, Training, conduct, flat
from jscc_sim.codecs import BinaryCodec
from jscc_sim.data.parts import Part, Parts

SHAPE, PIXELS, N = (1, 8, 8), 64, 6


def pictures(count, seed=0):
    """Grey images of two degrees of freedom."""
    generator = np.random.default_rng(seed)
    across, down = generator.random((2, count, 1, 1))
    row, column = np.linspace(0, 1, 8)[:, None], np.linspace(0, 1, 8)[None]
    return (255 * np.exp(-((row - down) ** 2 + (column - across) ** 2) / 0.1)).astype(np.uint8)


PARTS = Parts(*(Part(pictures(count, seed)) for seed, count in enumerate((200, 60, 60))))
TINY = Recipe("paper", epochs=3, batch=20, selections=3)
STUDY = Study("pictures", N, recipe=TINY)


class Heard(BSC):
    """A channel that remembers what it did to symbols."""

    def __init__(self, flip):
        super().__init__(flip)
        self.factors = []

    def transmit(self, x, u=None):
        found = super().transmit(x, u)
        self.factors.append(found.y * x)
        return found


def training(objective=BEST, recipe=TINY, channel=None):
    """That of a codec before its first step."""
    torch.manual_seed(0)
    codec = BinaryCodec(SHAPE, N, recipe.net, erasures=True)
    held = flat(PARTS.validation)
    return Training(codec, channel or BSC(0.1), OBJECTIVES[objective], flat(PARTS.train), held, recipe)


def untrained():
    """A codec before it learned anything."""
    torch.manual_seed(0)
    return BinaryCodec(SHAPE, N, "paper")


@cache
def learned():
    """A codec that learned for a few seconds, with all that was found of it."""
    return conduct(replace(STUDY, recipe=replace(TINY, epochs=30)), PARTS)


def every_word(n, *, erased):
    """Of n symbols, as it can be received."""
    symbols = torch.tensor([1.0, -1.0, 0.0] if erased else [1.0, -1.0])
    return torch.cartesian_prod(*[symbols] * n)
