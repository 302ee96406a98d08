"""Folders of PNG and JPEG pictures."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PICTURES = (".png", ".jpg", ".jpeg")


def read_pictures(folder: Path) -> NDArray[np.uint8]:
    """The PNG and JPEG pictures of a folder, in order of their names; all of one size and all grey or all in colour."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)
    if len(paths) < 2:
        raise ValueError(f"{folder} holds {len(paths)} PNG or JPEG pictures; a set needs at least 2")
    pictures = [_read_picture(path) for path in paths]
    for path, picture in zip(paths, pictures, strict=True):
        if picture.shape != pictures[0].shape:
            raise ValueError(f"{path} is {picture.shape}, but {paths[0].name} is {pictures[0].shape}")
    return np.stack(pictures)


def _read_picture(path: Path) -> NDArray[np.uint8]:
    """``(height, width)`` or ``(height, width, 3)``; transparency is dropped."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            if picture.mode.startswith(("I", "F")):
                raise ValueError(f"{path} has more than 8 bits a channel: convert it to 8 bits first")
            return np.asarray(picture.convert("L" if picture.mode in ("1", "L", "LA") else "RGB"))
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path} is not a picture that can be read: {error}") from None
