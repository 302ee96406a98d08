"""Reading the images and labels of a set: the shipped one, a named one, or what is in a folder."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jscc_sim.data.cifar import read_cifar, read_cifar_labels
from jscc_sim.data.files import find
from jscc_sim.data.idx import read_idx, read_idx_labels
from jscc_sim.data.imageset import SPLITS, Content, ImageSet, SetFile, Split
from jscc_sim.data.pictures import read_pictures
from jscc_sim.data.sets import BINARY, SETS, data_home

SHIPPED = Path(__file__).parent / "fashion-mnist-1000-images-idx3-ubyte.gz"
TEST_IMAGES = "t10k-images-idx3-ubyte"
# Of the bytes 0 to 255, the least that is above one half.
LEAST_WHITE = 128
# What reads a file's images, and what its labels, by what it holds.
IMAGES: dict[Content, Callable[[Path], NDArray[np.uint8]]] = {"images": read_idx, "records": read_cifar}
LABELS: dict[Content, Callable[[Path], NDArray[np.uint8]]] = {"labels": read_idx_labels, "records": read_cifar_labels}


def load_images(name: str = "", split: Split = "test") -> NDArray[np.uint8]:
    """Images ``(count, height, width)`` or ``(count, height, width, 3)``: the shipped set, a named one or a folder's.

    ``name`` is empty, one of `SETS` (under ``$JSCC_SIM_DATA`` or ``~/.cache/jscc-sim``), such a set in black and white
    (``binary-mnist``: each value 255 if it is above one half, else 0), or a folder with the files of a set or with PNG
    and JPEG pictures of one size.
    """
    if files := files_of(name, split, "images"):
        images = np.concatenate([IMAGES[file.content](path) for file, path in files])
        return (images >= LEAST_WHITE) * np.uint8(255) if name in BINARY else images
    if not name and split == "test":
        return read_idx(SHIPPED)
    if split != "test":
        raise FileNotFoundError(f"{name or 'the shipped set'} has no {split} images, only one split, test")
    return read_pictures(Path(name).expanduser())


def load_labels(name: str, split: Split = "test") -> NDArray[np.uint8]:
    """The labels ``(count,)`` of `load_images`, for a named set or a folder with the files of one."""
    if files := files_of(name, split, "labels"):
        return np.concatenate([LABELS[file.content](path) for file, path in files])
    raise FileNotFoundError(f"{name or 'the shipped set'} has no {split} labels")


def files_of(name: str, split: Split, content: Content) -> list[tuple[SetFile, Path]]:
    """The files to read, in order; none for the shipped set and for pictures."""
    if split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {split!r}")
    if named := SETS.get(name) or BINARY.get(name):
        return _named_files(named, split, content)
    folder = Path(name).expanduser()
    if not folder.is_dir():
        raise FileNotFoundError(f"no image set or folder {name!r}; sets are {', '.join(SETS)}, and binary-NAME of each")
    for images in SETS.values() if name else ():
        found = [(file, find(folder, file.name)) for file in images.files_of(split, content)]
        if all(path for _, path in found):
            return [(file, path) for file, path in found if path]
    return []


def _named_files(images: ImageSet, split: Split, content: Content) -> list[tuple[SetFile, Path]]:
    """The same for a known set, or a FileNotFoundError with the ways to get it."""
    home, found = data_home(), []
    for file in images.files_of(split, content):
        path = find(home / images.name, file.name)
        if path is None:
            raise FileNotFoundError(
                f"no {images.name} under {home} ({file.name} is missing): run jscc-sim data fetch {images.name}, "
                f"or jscc-sim data import {images.name} PATH, or set JSCC_SIM_DATA"
            )
        found.append((file, path))
    return found
