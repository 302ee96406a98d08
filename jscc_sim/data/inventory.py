"""Which known sets are in the home folder, and whether they are what was published."""

from dataclasses import dataclass
from pathlib import Path

from jscc_sim.data.files import find, read
from jscc_sim.data.imageset import SPLITS, ImageSet, Split
from jscc_sim.data.sets import SETS, data_home


@dataclass(frozen=True)
class SetState:
    """A set as it is in the home folder: ``splits`` whose images are there and right, ``wrong`` files that are not."""

    name: str
    shape: tuple[int, ...]
    train: int
    test: int
    licence: str
    folder: Path
    splits: tuple[Split, ...]
    wrong: tuple[str, ...]


def describe(home: str | Path | None = None) -> list[SetState]:
    """Every known set, with the number of its training and test images, and what of it is there."""
    return [_state(images, data_home(home) / images.name) for images in SETS.values()]


def _state(images: ImageSet, folder: Path) -> SetState:
    right = check_files(images, folder)
    splits = tuple(split for split in SPLITS if all(right.get(file.name) for file in images.files_of(split)))
    wrong = tuple(name for name, good in right.items() if not good)
    train, test = images.count("train"), images.count("test")
    return SetState(images.name, images.shape, train, test, images.licence, folder, splits, wrong)


def check_files(images: ImageSet, folder: Path) -> dict[str, bool]:
    """For each file of the set that is in the folder, gzipped or not: whether it holds what was published."""
    right = {}
    for file in images.files:
        if path := find(folder, file.name):
            try:
                images.check(file, read(path, images.size(file) + 1), folder)
                right[file.name] = True
            except ValueError:
                right[file.name] = False
    return right
