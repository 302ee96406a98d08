"""CIFAR-10's binary version: records of one label byte and 32x32 pixels, all red, then all green, then all blue."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jscc_sim.data.files import read

RECORD = 1 + 3 * 32 * 32
CLASSES = 10


def read_records(path: Path) -> NDArray[np.uint8]:
    """The records ``(count, 3073)`` of a file, gzipped or not."""
    raw = read(path)
    if not raw or len(raw) % RECORD:
        raise ValueError(f"{path} is not a CIFAR-10 binary: {len(raw)} bytes are not records of {RECORD}")
    records = np.frombuffer(raw, np.uint8).reshape(-1, RECORD)
    if (worst := records[:, 0].max()) >= CLASSES:
        raise ValueError(f"{path} is not a CIFAR-10 binary: a label is {worst}, at most {CLASSES - 1} is possible")
    return records


def read_cifar(path: Path) -> NDArray[np.uint8]:
    """The images ``(count, 32, 32, 3)`` of a file."""
    planes = read_records(path)[:, 1:].reshape(-1, 3, 32, 32)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1))


def read_cifar_labels(path: Path) -> NDArray[np.uint8]:
    """The labels ``(count,)`` of a file."""
    return read_records(path)[:, 0].copy()


def record_bytes(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> bytes:
    """The file of such images ``(count, 32, 32, 3)`` and labels ``(count,)``."""
    planes = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
    return np.hstack([labels[:, None], planes]).tobytes()
