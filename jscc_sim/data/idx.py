"""IDX, the format of MNIST: a magic number that counts the dimensions, the dimensions, then plain bytes."""

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jscc_sim.data.files import read


def read_idx(path: Path) -> NDArray[np.uint8]:
    """The images ``(count, height, width)`` of an IDX file, gzipped or not."""
    raw = read(path)
    if len(raw) < 16 or raw[:4] != b"\x00\x00\x08\x03":
        raise ValueError(f"{path} is not an IDX file of images")
    count, height, width = struct.unpack(">III", raw[4:16])
    if len(raw) != 16 + count * height * width:
        raise ValueError(f"{path} should hold {count} images of {height}x{width}, but has {len(raw) - 16} bytes")
    if count < 2:
        raise ValueError(f"{path} holds {count} images; a set needs at least 2")
    if not height * width:
        raise ValueError(f"{path} holds images of {height}x{width}, which have no pixels")
    return np.frombuffer(raw, np.uint8, offset=16).reshape(count, height, width)


def read_idx_labels(path: Path) -> NDArray[np.uint8]:
    """The labels ``(count,)`` of an IDX file, gzipped or not."""
    raw = read(path)
    if len(raw) < 8 or raw[:4] != b"\x00\x00\x08\x01":
        raise ValueError(f"{path} is not an IDX file of labels")
    (count,) = struct.unpack(">I", raw[4:8])
    if len(raw) != 8 + count:
        raise ValueError(f"{path} should hold {count} labels, but has {len(raw) - 8} bytes")
    return np.frombuffer(raw, np.uint8, offset=8)


def idx_bytes(values: NDArray[np.uint8]) -> bytes:
    """The IDX file of such bytes.

    >>> idx_bytes(np.array([7, 2], np.uint8)).hex(" ")
    '00 00 08 01 00 00 00 02 07 02'
    """
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes()
