"""``lite0``: EfficientNet-Lite0, trained on ImageNet; a small network with features of natural images."""

import io
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad, relu6

from jscc_sim.data import read_weights
from jscc_sim.image_metrics.planes import in_colour

FEATURES = 1280
SIDE = 224
# TensorFlow's batch norm and its spelling of the pixels' mean and spread.
EPSILON = 1e-3
MEAN, SPREAD = 127 / 255, 128 / 255


@dataclass(frozen=True)
class Stage:
    """``repeats`` blocks with as many channels out; the first of them has the ``stride``."""

    repeats: int
    kernel: int
    stride: int
    expand: int
    channels: int


# Tan and Le's EfficientNet-B0 (arXiv 1905.11946, table 1), which Lite0 is without its squeeze and its swish.
STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
STEM, CLASSES = 32, 1000
# The last block of each stage.
ENDS = tuple(f"_blocks.{last - 1}" for last in accumulate(stage.repeats for stage in STAGES))


class SameConv2d(nn.Conv2d):
    """A convolution padded as TensorFlow does: ⌈size/stride⌉ pixels out, and of an odd padding more at the end."""

    def forward(self, x: Tensor) -> Tensor:
        """Pad, then convolve."""
        (rows, columns), kernel, stride = x.shape[-2:], self.kernel_size[0], self.stride[0]
        down, across = (max((-(-size // stride) - 1) * stride + kernel - size, 0) for size in (rows, columns))
        x = pad(x, (across // 2, across - across // 2, down // 2, down - down // 2))
        return super().forward(x)


def _conv(before: int, after: int, kernel: int, stride: int = 1, groups: int = 1) -> SameConv2d:
    return SameConv2d(before, after, kernel, stride, groups=groups, bias=False)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=EPSILON)


class Block(nn.Module):
    """An inverted residual: expand, filter each channel, project; added to its input where the shape is the same."""

    def __init__(self, before: int, stage: Stage, stride: int) -> None:
        super().__init__()
        wide = before * stage.expand
        self.expands = stage.expand > 1
        if self.expands:
            self._expand_conv, self._bn0 = _conv(before, wide, 1), _norm(wide)
        self._depthwise_conv, self._bn1 = _conv(wide, wide, stage.kernel, stride, groups=wide), _norm(wide)
        self._project_conv, self._bn2 = _conv(wide, stage.channels, 1), _norm(stage.channels)
        self.adds = stride == 1 and before == stage.channels

    def forward(self, x: Tensor) -> Tensor:
        """``(count, before, h, w)`` to ``(count, channels, ⌈h/stride⌉, ⌈w/stride⌉)``."""
        wide = relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        wide = relu6(self._bn1(self._depthwise_conv(wide)))
        out: Tensor = self._bn2(self._project_conv(wide))
        return x + out if self.adds else out


class Lite0(nn.Module):
    """The network, its parts named as in the published state dict."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem, self._bn0 = _conv(3, STEM, 3, stride=2), _norm(STEM)
        blocks, before = [], STEM
        for stage in STAGES:
            for index in range(stage.repeats):
                blocks.append(Block(before, stage, 1 if index else stage.stride))
                before = stage.channels
        self._blocks = nn.Sequential(*blocks)
        self._conv_head, self._bn1 = _conv(before, FEATURES, 1), _norm(FEATURES)
        self._fc = nn.Linear(FEATURES, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """The pooled features ``(count, 1280)`` of images ``(count, c, h, w)`` in [0, 1], whatever their size."""
        images = interpolate(in_colour(images), (SIDE, SIDE), mode="bilinear", align_corners=False, antialias=True)
        x = relu6(self._bn0(self._conv_stem((images - MEAN) / SPREAD)))
        x = relu6(self._bn1(self._conv_head(self._blocks(x))))
        return x.mean((2, 3))

    def classify(self, images: Tensor) -> Tensor:
        """The scores ``(count, 1000)`` of ImageNet's classes."""
        scores: Tensor = self._fc(self(images))
        return scores


def load_lite0() -> nn.Module:
    """The network from the home folder's ``weights/efficientnet-lite0.pth``, checked to the bit before it is opened."""
    network = Lite0()
    content = io.BytesIO(read_weights("lite0"))
    network.load_state_dict(torch.load(content, map_location="cpu", weights_only=True))
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
