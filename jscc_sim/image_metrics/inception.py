"""``fid_inception``: the Inception network of 2015 whose features FID means, with the resizing of its time."""

import io
import warnings

import torch
from torch import Tensor, nn

from jscc_sim.data import read_weights
from jscc_sim.image_metrics.planes import in_colour

FEATURES = 2048
SIDE = 299


class Inception(nn.Module):
    """The published TorchScript, fed as FID's first implementation did: 299×299, from −1 to 127/128."""

    def __init__(self, script: nn.Module) -> None:
        super().__init__()
        self.script = script

    def forward(self, images: Tensor) -> Tensor:
        """The features ``(count, 2048)`` of images ``(count, c, h, w)`` in [0, 1]."""
        return self.script((255 * resized(in_colour(images), SIDE) - 128) / 128)


def resized(images: Tensor, side: int) -> Tensor:
    """``side``×``side`` pixels, bilinear, aligned as TensorFlow 1 did: at ``i h/side``, not ``(i + ½) h/side − ½``.

    FID's published numbers were all made so. An image that has that size stays as it is.
    """
    rows, columns = (_interpolation(old, side).to(images) for old in images.shape[-2:])
    return rows @ images @ columns.T


def _interpolation(old: int, new: int) -> Tensor:
    """The matrix ``(new, old)`` whose row ``i`` interpolates at ``i old/new``, the last pixel repeated beyond the end.

    >>> _interpolation(2, 4)
    tensor([[1.0000, 0.0000],
            [0.5000, 0.5000],
            [0.0000, 1.0000],
            [0.0000, 1.0000]])
    """
    place = torch.arange(new, dtype=torch.float64) * old / new
    left = place.floor().long()
    right = (left + 1).clamp(max=old - 1)
    share = (place - left)[:, None]
    pixels = torch.eye(old, dtype=torch.float64)
    return ((1 - share) * pixels[left] + share * pixels[right]).float()


def load_inception() -> nn.Module:
    """The network from the home folder's ``weights/fid_inception.pt``, checked to the bit before it is opened."""
    content = io.BytesIO(read_weights("fid-inception"))
    with warnings.catch_warnings():
        # torch advises against TorchScript, but this is how the network is published.
        warnings.filterwarnings("ignore", message="`torch.jit.load` is deprecated", category=DeprecationWarning)
        script: nn.Module = torch.jit.load(content, map_location="cpu")
    return Inception(script).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
