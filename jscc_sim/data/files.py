"""Files as they are or gzipped: finding them by name, and their unpacked bytes."""

import gzip
import lzma
import tarfile
import zlib
from pathlib import Path
from typing import IO

BROKEN = (gzip.BadGzipFile, EOFError, zlib.error, lzma.LZMAError, tarfile.TarError)


def find(folder: Path, name: str) -> Path | None:
    """``folder/name``, else ``folder/name.gz``, else None."""
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def unpack(stream: IO[bytes], origin: str | Path, at_most: int = -1) -> bytes:
    """The stream's bytes, ``at_most`` that many if it is not negative, gunzipped if ``origin`` ends so."""
    try:
        if not str(origin).endswith(".gz"):
            return stream.read(at_most)
        with gzip.open(stream) as unzipped:
            return unzipped.read(at_most)
    except BROKEN as error:
        raise ValueError(f"{origin} cannot be unpacked: {error}") from None


def read(path: Path, at_most: int = -1) -> bytes:
    """The unpacked bytes of a file."""
    with path.open("rb") as stream:
        return unpack(stream, path, at_most)
