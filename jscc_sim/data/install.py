"""Bringing a known set into the home folder, from its mirrors or from disk: checked to the bit, or not at all."""

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from jscc_sim.data.download import ProgressBar, download
from jscc_sim.data.imageset import ImageSet, SetFile
from jscc_sim.data.inventory import check_files
from jscc_sim.data.ondisk import found_in
from jscc_sim.data.sets import data_home, known_set


def fetch(
    name: str,
    home: str | Path | None = None,
    progress: bool | ProgressBar = False,
    mirrors: Sequence[str] | None = None,
) -> Path:
    """The folder of a set, downloaded from its public mirrors (or these) unless it is there already.

    Raises ConnectionError if no mirror has one of its archives as it was published.
    """
    images, home = known_set(name), data_home(home)
    right = check_files(images, home / name)
    if all(right.get(file.name) for file in images.files):
        return home / name
    home.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{name}-", dir=home) as packed:
        try:
            for archive in images.archives:
                download(archive, images.mirrors if mirrors is None else mirrors, Path(packed), progress)
        except ConnectionError as error:
            raise ConnectionError(f"{error}; get it elsewhere, then: jscc-sim data import {name} PATH") from None
        return _install(images, Path(packed), images.files, home)


def import_set(name: str, path: str | Path, home: str | Path | None = None) -> Path:
    """The folder of a set, filled with what a folder, a tar archive or an .npz has of it: at least the test images.

    Raises ValueError if anything differs from what was published.
    """
    images = known_set(name)
    return _install(images, Path(path).expanduser(), images.files_of("test"), data_home(home))


def _install(images: ImageSet, source: Path, needed: Sequence[SetFile], home: Path) -> Path:
    """Unpack beside the set's folder, check, and move over only then."""
    home.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{images.name}-", dir=home) as temporary:
        staged = Path(temporary) / images.name
        staged.mkdir()
        for file, content in found_in(images, source):
            images.check(file, content, source)
            (staged / file.name).write_bytes(content)
        for file in needed:
            if not (staged / file.name).is_file():
                raise ValueError(f"{source} has no {file.name}, which {images.name} needs; a .gz of it will do")
        return _move(staged, home / images.name)


def _move(staged: Path, folder: Path) -> Path:
    """Rename the folder, or rename its files into one that is there: what else that one holds stays."""
    if not folder.exists():
        return staged.rename(folder)
    for path in staged.iterdir():
        os.replace(path, folder / path.name)
    return folder
