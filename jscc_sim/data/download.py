"""One published archive, through pooch, from the first mirror that has it whole."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from jscc_sim.data.imageset import Archive

CHUNK = 2**16


class ProgressBar(Protocol):
    """What pooch moves along while it downloads; ``total`` is in bytes."""

    total: int

    def update(self, done: int, /) -> object:
        """So many bytes more."""

    def reset(self) -> object:
        """Back to zero."""

    def close(self) -> object:
        """This file is done."""


def download(archive: Archive, mirrors: Sequence[str], folder: Path, progress: bool | ProgressBar = False) -> None:
    """Put the archive into the folder; a ConnectionError says what each mirror answered.

    ``progress`` is a bar, or True for tqdm's where that is installed.
    """
    answers = []
    for mirror in mirrors:
        try:
            _from_mirror(archive, mirror, folder, progress)
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # of this machine, such as a full disk; requests' own have no number
            answers.append(f"{mirror} ({_answer(error)})")
        else:
            return
    raise ConnectionError(f"{archive.name} cannot be downloaded from {', '.join(answers) or 'no mirrors'}")


def _from_mirror(archive: Archive, mirror: str, folder: Path, progress: bool | ProgressBar) -> None:
    import pooch

    bar = progress if progress is not True else find_spec("tqdm") is not None
    fetch = pooch.HTTPDownloader(progressbar=bar, chunk_size=CHUNK)
    path = folder / archive.name
    fetch(f"{mirror.rstrip('/')}/{archive.name}", path, None)
    if pooch.file_hash(path, alg="md5") != archive.md5:
        path.unlink()
        raise ValueError("its checksum is wrong")


def _answer(error: Exception) -> str:
    """In a word: requests' own messages run over half a page."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return f"status {status}" if status else str(error) if type(error) is ValueError else type(error).__name__
