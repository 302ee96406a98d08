"""A set in three parts, each shuffled: train and test, and validation, on which alone hyper-parameters are chosen."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from jscc_sim.data.imageset import Split
from jscc_sim.data.loading import files_of, load_images, load_labels

VALIDATION = 10_000


@dataclass(frozen=True)
class Part:
    """Images ``(count, height, width)`` or ``(count, height, width, 3)``, and labels ``(count,)`` if there are any."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.images)

    def take(self, which: slice | NDArray[np.int64]) -> Self:
        """These images with their labels."""
        return type(self)(self.images[which], None if self.labels is None else self.labels[which])


@dataclass(frozen=True)
class Parts:
    """The parts of a set; no image is in two of them."""

    train: Part
    validation: Part
    test: Part


def load_parts(name: str, seed: int = 0, validation: int = VALIDATION) -> Parts:
    """A named set (or a folder with its files) in three parts, each in an order that ``seed`` alone decides.

    The first ``validation`` of the published training images are for validation, whatever the seed. The published
    order is not kept, because it is not random: the first half of MNIST's test file is easier to read than the second.
    A folder of pictures has no parts of its own: by name, its first tenth (at most ``validation``) is for validation
    and its last tenth for test.
    """
    if files_of(name, "train", "images"):
        train, test = _published(name, "train"), _published(name, "test")
    else:
        pictures = Part(load_images(name))
        tenth = len(pictures) // 10
        train, test = pictures.take(slice(len(pictures) - tenth)), pictures.take(slice(len(pictures) - tenth, None))
        validation = min(validation, tenth)
    if not 0 <= validation < len(train):
        raise ValueError(f"validation must be 0 to {len(train) - 1}, as {name} has {len(train)}, got {validation}")
    parts = train.take(slice(validation, None)), train.take(slice(validation)), test
    return Parts(*(_shuffled(part, seed, index) for index, part in enumerate(parts)))


def _published(name: str, split: Split) -> Part:
    """The images of a split, and its labels if they are there too: a set may be imported without them."""
    try:
        return Part(load_images(name, split), load_labels(name, split))
    except FileNotFoundError:
        return Part(load_images(name, split))


def _shuffled(part: Part, seed: int, index: int) -> Part:
    return part.take(np.random.default_rng([seed, index]).permutation(len(part)))
