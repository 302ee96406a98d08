"""Keras' ``.npz`` of a set, arrays ``x_train``, ``y_train``, ``x_test``, ``y_test``, as its published files."""

import math
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from jscc_sim.data.cifar import record_bytes
from jscc_sim.data.idx import idx_bytes
from jscc_sim.data.imageset import SPLITS, ImageSet, Split


def npz_contents(images: ImageSet, path: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of each published file that the arrays make up."""
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{path} is not an .npz file")
    with np.load(path, allow_pickle=False) as arrays:
        if "x_test" not in arrays:
            raise ValueError(f"{path} has no x_test, the test images of {images.name}; it has {', '.join(arrays)}")
        for split in SPLITS:
            if f"x_{split}" in arrays:
                yield from _split_contents(images, split, arrays, path)


def _split_contents(images: ImageSet, split: Split, arrays: NpzFile, path: Path) -> Iterator[tuple[str, bytes]]:
    """The files of one split, filled from ``x`` and ``y`` in order."""
    count = images.count(split)
    x = _array(arrays, f"x_{split}", (count, *images.shape), path)
    y = _array(arrays, f"y_{split}", (count,), path) if f"y_{split}" in arrays else None
    start = 0
    for file in (file for file in images.files if file.split == split):
        if file.content == "images":
            yield file.name, idx_bytes(x)
        elif y is not None and file.content == "labels":
            yield file.name, idx_bytes(y)
        elif file.content == "records":
            if y is None:
                raise ValueError(f"{path} has no y_{split}: {images.name} is kept as images with their labels")
            yield file.name, record_bytes(x[start : start + file.count], y[start : start + file.count])
            start += file.count


def _array(arrays: NpzFile, key: str, shape: tuple[int, ...], path: Path) -> NDArray[np.uint8]:
    """One array of bytes; labels ``(count,)`` may be wider integers and ``(count, 1)``."""
    values = _load(arrays, key, math.prod(shape), path)
    labels = len(shape) == 1
    if labels and values.shape == (*shape, 1):
        values = values[:, 0]
    if values.shape != shape or (values.dtype.kind not in "iu" if labels else values.dtype != np.uint8):
        raise ValueError(f"{key} in {path} is {values.dtype} {values.shape}, it should be uint8 {shape}")
    return values.astype(np.uint8)


def _load(arrays: NpzFile, key: str, count: int, path: Path) -> NDArray[np.generic]:
    """One array, unless it is a pickle, damaged or far too large."""
    try:
        # No more than 8 bytes a value and a header: a small file may unpack into more than the memory holds.
        if arrays.zip is not None and arrays.zip.getinfo(f"{key}.npy").file_size > 8 * count + 2**16:
            raise ValueError("it is larger than the set")
        return arrays[key]
    except (ValueError, KeyError, EOFError, OSError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{key} in {path} cannot be read: {error}") from None
