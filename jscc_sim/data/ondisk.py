"""What is on disk of a set: in a folder, a tar archive or an .npz; never a pickle, which can run code when opened."""

import tarfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath

from jscc_sim.data.files import BROKEN, read, unpack
from jscc_sim.data.imageset import ImageSet, SetFile
from jscc_sim.data.keras import npz_contents

# A file's name and what reads at most so many of its unpacked bytes.
Entry = tuple[str, Callable[[int], bytes]]

TAR = (".tgz", ".tar.gz", ".tar")
# The members of CIFAR-10's Python version.
PICKLES = ("batches.meta", "test_batch", *(f"data_batch_{index}" for index in range(1, 6)))


def found_in(images: ImageSet, path: Path) -> Iterator[tuple[SetFile, bytes]]:
    """Each file of the set that is in a folder or an archive, once, with its unpacked bytes, one too many if longer."""
    wanted = {file.name: file for file in images.files}
    pickles = []
    for name, content in _entries(images, path):
        if file := wanted.pop(name.removesuffix(".gz"), None):
            yield file, content(images.size(file) + 1)
        elif is_pickle(name):
            pickles.append(name)
        if not wanted:
            return
    if pickles and len(wanted) == len(images.files):
        raise _pickled(f"{pickles[0]} in {path}")


def is_pickle(name: str) -> bool:
    """Whether a file of that name holds pickles."""
    pickled = name.removesuffix(".gz").endswith((".pkl", ".pickle"))
    return pickled or name in PICKLES or name.startswith("cifar-10-python")


def _pickled(what: str) -> ValueError:
    return ValueError(f"{what} is a pickle, which could run any code: get the binary version, IDX or .npz")


def _start(content: bytes, at_most: int) -> bytes:
    return content[:at_most]


def _entries(images: ImageSet, path: Path) -> Iterator[Entry]:
    """All files of a folder or an archive."""
    name = path.name.lower()
    if path.is_dir():
        return _folder(images, path)
    if not path.is_file():
        raise FileNotFoundError(f"no file or folder {path}")
    if is_pickle(name):
        raise _pickled(str(path))
    if name.endswith(TAR):
        return _tar(path)
    if name.endswith(".npz"):
        return ((name, partial(_start, content)) for name, content in npz_contents(images, path))
    raise ValueError(f"{path} cannot be imported: give a folder, a {', '.join(TAR)} or an .npz")


def _folder(images: ImageSet, folder: Path) -> Iterator[Entry]:
    """The files of a folder, then those one level below, then those inside the set's published archive."""
    inside = sorted(folder.iterdir())
    below = [path for sub in inside if sub.is_dir() for path in sorted(sub.iterdir())]
    for path in (path for path in [*inside, *below] if path.is_file()):
        yield path.name, partial(read, path)
    for archive in images.archives:
        if archive.name.endswith(TAR) and (folder / archive.name).is_file():
            yield from _tar(folder / archive.name)


def _tar(path: Path) -> Iterator[Entry]:
    """The regular files of a tar archive by their bare names: nothing in it says where anything is written."""
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                stream = archive.extractfile(member) if member.isfile() else None
                if stream is not None:
                    name = PurePosixPath(member.name).name
                    yield name, partial(unpack, stream, f"{path}/{name}")
    except BROKEN:
        raise ValueError(f"{path} cannot be unpacked: it is damaged or no tar archive") from None
