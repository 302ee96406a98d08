"""What is known of an image set: its files, what they must hold to the bit, where it is published, its licence."""

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Split = Literal["train", "test"]
Content = Literal["images", "labels", "records"]
SPLITS: tuple[Split, ...] = ("train", "test")


@dataclass(frozen=True)
class SetFile:
    """One unpacked file: ``count`` images, labels, or records of both, and the SHA-256 of what was published."""

    name: str
    content: Content
    split: Split
    count: int
    sha256: str


@dataclass(frozen=True)
class Archive:
    """A packed file as the mirrors have it, with its published MD5."""

    name: str
    md5: str


@dataclass(frozen=True)
class ImageSet:
    """A set whose images are bytes of one ``shape``: ``(height, width)`` or ``(height, width, 3)``."""

    name: str
    shape: tuple[int, ...]
    files: tuple[SetFile, ...]
    archives: tuple[Archive, ...]
    mirrors: tuple[str, ...]
    licence: str

    def files_of(self, split: Split, content: Content = "images") -> tuple[SetFile, ...]:
        """The files of a split, in order, that hold images (or labels), alone or in records."""
        return tuple(file for file in self.files if file.split == split and file.content in (content, "records"))

    def count(self, split: Split) -> int:
        """How many images a split has."""
        return sum(file.count for file in self.files_of(split))

    def size(self, file: SetFile) -> int:
        """Bytes of a file: IDX has a header of 16 (images) or 8 (labels), a record is a label and its pixels."""
        pixels = math.prod(self.shape)
        header, each = {"images": (16, pixels), "labels": (8, 1), "records": (0, 1 + pixels)}[file.content]
        return header + file.count * each

    def check(self, file: SetFile, content: bytes, origin: Path) -> None:
        """Raise a ValueError that names the file unless its content is what was published, to the bit."""
        if len(content) != self.size(file):
            what = f"it does not hold {self.size(file)} bytes"
        elif (digest := hashlib.sha256(content).hexdigest()) != file.sha256:
            what = f"its SHA-256 is {digest}, not {file.sha256}"
        else:
            return
        raise ValueError(f"{file.name} in {origin} is not that of {self.name}: {what}")
