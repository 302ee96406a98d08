"""Real image sets: IDX files and folders of pictures, as bytes; a thousand Fashion-MNIST images come along."""

import gzip
import os
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]

SHIPPED = Path(__file__).parent / "fashion-mnist-1000-images-idx3-ubyte.gz"
TEST_IMAGES = "t10k-images-idx3-ubyte"
SETS = ("mnist", "fashion-mnist")
PICTURES = (".png", ".jpg", ".jpeg")


def load_images(name: str = "") -> Images:
    """Images ``(count, height, width)`` or ``(count, height, width, 3)``: the shipped set, a named one or a folder's.

    ``name`` is empty, one of `SETS` (its test images, under ``$JSCC_SIM_DATA`` or ``~/.cache/jscc-sim``), or a folder
    with an IDX file of test images or with PNG and JPEG pictures of one size.
    """
    if not name:
        return read_idx(SHIPPED)
    home = Path(os.environ.get("JSCC_SIM_DATA", Path.home() / ".cache" / "jscc-sim"))
    folder = home / name if name in SETS else Path(name).expanduser()
    if name in SETS and not folder.is_dir():
        raise FileNotFoundError(f"no {name} under {home}: put {TEST_IMAGES} into {folder}, or set JSCC_SIM_DATA")
    if not folder.is_dir():
        raise FileNotFoundError(f"no image set or folder {name!r}; sets are {', '.join(SETS)}")
    idx = [path for path in (folder / TEST_IMAGES, folder / f"{TEST_IMAGES}.gz") if path.is_file()]
    return read_idx(idx[0]) if idx else read_pictures(folder)


def read_idx(path: Path) -> Images:
    """The images of an IDX file (the format of MNIST), gzipped or not."""
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path} cannot be unpacked: {error}") from None
    if len(raw) < 16 or raw[:4] != b"\x00\x00\x08\x03":
        raise ValueError(f"{path} is not an IDX file of images")
    count, height, width = struct.unpack(">III", raw[4:16])
    if len(raw) != 16 + count * height * width:
        raise ValueError(f"{path} should hold {count} images of {height}x{width}, but has {len(raw) - 16} bytes")
    if count < 2:
        raise ValueError(f"{path} holds {count} images; a set needs at least 2")
    return np.frombuffer(raw, np.uint8, offset=16).reshape(count, height, width)


def read_pictures(folder: Path) -> Images:
    """The PNG and JPEG pictures of a folder, in order of their names; all of one size and all grey or all in colour."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)
    if len(paths) < 2:
        raise ValueError(f"{folder} holds {len(paths)} PNG or JPEG pictures; a set needs at least 2")
    pictures = [_read_picture(path) for path in paths]
    for path, picture in zip(paths, pictures, strict=True):
        if picture.shape != pictures[0].shape:
            raise ValueError(f"{path} is {picture.shape}, but {paths[0].name} is {pictures[0].shape}")
    return np.stack(pictures)


def _read_picture(path: Path) -> Images:
    """``(height, width)`` or ``(height, width, 3)``; transparency is dropped."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            if picture.mode.startswith(("I", "F")):
                raise ValueError(f"{path} has more than 8 bits a channel: convert it to 8 bits first")
            return np.asarray(picture.convert("L" if picture.mode in ("1", "L", "LA") else "RGB"))
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path} is not a picture that can be read: {error}") from None
