"""Images compressed by JPEG, JPEG 2000 and WebP (Pillow), many to a mosaic, so that they share a header.

All bytes of a file count, its header too, and an image is charged its share of them.
"""

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from jscc_sim.spelling import known

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]
Options = Mapping[str, object]

# Images to the side of a mosaic.
SIDE = 8
QUALITIES = (1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 30, 36, 42, 50, 58, 66, 74, 82, 88, 92, 95, 98)
RATES = (400, 300, 200, 150, 110, 85, 65, 50, 40, 32, 26, 21, 17, 14, 11, 9, 7, 5.5, 4.4, 3.5, 2.8, 2.2)
FORMATS: dict[str, tuple[Options, ...]] = {
    "jpeg": tuple(
        {"quality": quality, "subsampling": chroma, "optimize": True} for chroma in (2, 0) for quality in QUALITIES
    ),
    "jpeg2000": tuple({"quality_mode": "rates", "quality_layers": [rate], "irreversible": True} for rate in RATES),
    "webp": (*({"quality": quality, "method": 4} for quality in (0, *QUALITIES)), {"lossless": True, "method": 4}),
}


@dataclass(frozen=True, eq=False)
class Coded:
    """Mosaics of ``images`` each, coded at each setting of a format.

    ``bits (mosaics, settings)`` are those of the files, ``errors (mosaics, settings, images)`` the mean square errors
    of images with values in [0, 1], ``given_up (mosaics, images)`` those of a receiver that knows the mean image alone,
    and ``header`` the bits of a file that says nothing but one grey.
    """

    format: str
    images: int
    bits: Array
    errors: Array
    given_up: Array
    header: int

    def chosen(self, budget: float) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """The best setting of each mosaic of at most so many bits to an image, and whether it beats the mean image."""
        means = np.where(self.bits <= budget * self.images, self.errors.mean(2), math.inf)
        best = means.argmin(1)
        return best, means[np.arange(len(means)), best] < self.given_up.mean(1)

    def within(self, budget: float) -> tuple[Array, Array]:
        """Errors ``(mosaics, images)`` and bits spent at the `chosen` settings; 0 bits where the mean is best."""
        best, helps = self.chosen(budget)
        each = np.arange(len(best))
        errors = np.where(helps[:, None], self.errors[each, best], self.given_up)
        return errors, np.where(helps, self.bits[each, best], 0.0)


def coded(images: Pixels, name: str, mean: Array) -> Coded:
    """Images ``(count, height, width)`` or ``(count, height, width, 3)`` in mosaics; those left over are left out.

    The receiver knows a ``mean`` image beforehand, of values 0 to 255: that of others, such as training images.
    """
    known("image format", name, FORMATS)
    together = SIDE**2
    if len(images) < together:
        raise ValueError(f"a mosaic takes {together} images, got {len(images)}")
    groups = images[: len(images) // together * together].reshape(-1, together, *images.shape[1:])
    bits, errors = [], []
    for group in groups:
        files = [_file(_mosaic(group), name, options) for options in FORMATS[name]]
        bits.append([8 * len(file) for file in files])
        errors.append([_squares(group, _tiles(_pixels(file, group.ndim), group.shape)) for file in files])
    given_up = np.stack([_squares(group, mean) for group in groups])
    plain = _file(np.full_like(_mosaic(groups[0]), 128), name, FORMATS[name][0])
    return Coded(name, together, np.array(bits, float), np.array(errors), given_up, 8 * len(plain))


def decoded(images: Pixels, code: Coded, budget: float) -> Pixels | None:
    """The images of the first mosaic as they come back at the setting that is `chosen`; None for the mean image."""
    (best, *_), (helps, *_) = code.chosen(budget)
    if not helps:
        return None
    group = images[: code.images]
    file = _file(_mosaic(group), code.format, FORMATS[code.format][best])
    return _tiles(_pixels(file, group.ndim), group.shape)


def _mosaic(group: Pixels) -> Pixels:
    """``(side height, side width, ...)`` of ``(side², height, width, ...)``."""
    _, height, width, *colours = group.shape
    tiles = group.reshape(SIDE, SIDE, height, width, *colours).swapaxes(1, 2)
    return tiles.reshape(SIDE * height, SIDE * width, *colours)


def _tiles(mosaic: Pixels, shape: tuple[int, ...]) -> Pixels:
    """Back again."""
    _, height, width, *colours = shape
    return mosaic.reshape(SIDE, height, SIDE, width, *colours).swapaxes(1, 2).reshape(shape)


def _file(mosaic: Pixels, name: str, options: Options) -> bytes:
    # Pillow's room for an optimised JPEG, by default a byte for each pixel, is too small for noise in colours.
    ImageFile.MAXBLOCK = max(ImageFile.MAXBLOCK, 2 * mosaic.size)
    with io.BytesIO() as file:
        Image.fromarray(mosaic).save(file, name, **options)
        return file.getvalue()


def _pixels(file: bytes, dimensions: int) -> Pixels:
    with Image.open(io.BytesIO(file)) as image:
        return np.asarray(image.convert("RGB" if dimensions == 4 else "L"))


def _squares(wanted: Pixels, got: NDArray[np.uint8] | Array) -> Array:
    """The mean square error of each image, its values in [0, 1]."""
    differences = (wanted.astype(float) - got) / 255
    return np.asarray(np.square(differences).reshape(len(wanted), -1).mean(1))
