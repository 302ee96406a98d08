"""Images as networks want them: planes of floats, whether they come from a reader or from a decoder."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jscc_sim.nets import Shape

# Bytes as readers give them, or floats in [0, 1]: (count, h, w), (count, h, w, 3) or (count, 1 or 3, h, w).
Images = NDArray[np.uint8] | NDArray[np.float32] | NDArray[np.float64] | Tensor
COLOURS = (1, 3)
# Rec. 601, of red, green and blue, as pictures are made grey by default.
LUMA = (0.299, 0.587, 0.114)
ROUNDING = 1e-4


def planes(images: Images) -> Tensor:
    """Images as floats ``(count, c, h, w)`` in [0, 1]; a ValueError if they are anything else.

    >>> planes(np.zeros((2, 28, 28), np.uint8)).shape, planes(torch.zeros(2, 32, 32, 3)).shape
    (torch.Size([2, 1, 28, 28]), torch.Size([2, 3, 32, 32]))
    """
    # A copy, as readers give views of a file's bytes, which torch may not write to.
    given = images.detach() if isinstance(images, Tensor) else torch.from_numpy(np.array(images))
    floats = given.float() / 255 if given.dtype == torch.uint8 else given.float()
    # Written so that NaN is caught too.
    if floats.numel() and not (floats.min() >= -ROUNDING and floats.max() <= 1 + ROUNDING):
        low, high = float(floats.min()), float(floats.max())
        raise ValueError(f"images must be bytes, or floats in [0, 1]; these span {low:g} to {high:g}: clamp them first")
    return _ordered(floats).clamp(0, 1)


def _ordered(images: Tensor) -> Tensor:
    """The dimensions as ``(count, c, h, w)``."""
    if images.ndim == 3:
        return images[:, None]
    if images.ndim == 4 and images.shape[1] in COLOURS:
        return images
    if images.ndim == 4 and images.shape[3] in COLOURS:
        return images.permute(0, 3, 1, 2)
    raise ValueError(
        f"images have shape (count, h, w), (count, h, w, 3) or (count, 1 or 3, h, w), got {tuple(images.shape)}"
    )


def in_colour(images: Tensor) -> Tensor:
    """Three planes: grey ones are repeated."""
    return images.expand(-1, 3, -1, -1)


def in_grey(images: Tensor) -> Tensor:
    """One plane: of coloured ones, the luma."""
    if images.shape[1] == 1:
        return images
    return (images * images.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True)


def rounded(images: Tensor) -> Tensor:
    """The same in steps of 1/255, as they would be read back from a picture file."""
    return (255 * images).round() / 255


def shape_of(images: Images) -> Shape:
    """``(channels, height, width)`` of images as `planes` takes them."""
    _, channels, height, width = planes(images[:1]).shape
    return channels, height, width
