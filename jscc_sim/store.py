"""An append-only record of measured blocks, so that a sweep that was interrupted resumes where it stopped."""

import fcntl
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO

from jscc_sim.tally import Tally

FORMAT = {"jscc_sim_store": 1}
Block = dict[str, Tally]


class Store:
    """A file of JSON lines: a header, then ``{"key", "block", "tallies"}`` per block, a tally being its three sums.

    One process writes at a time. The header names the format; a last line cut short by a kill is dropped with a
    warning, damage anywhere else is a ValueError.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._blocks: dict[str, dict[int, Block]] = {}
        self._file: IO[str] | None = None

    def __enter__(self) -> "Store":
        if self.path.exists() and not self.path.is_file():
            raise ValueError(f"{self.path} is not a regular file: a store must be one")
        self._file = self.path.open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise ValueError(f"{self.path} is being written by another run") from None
        try:
            self._read()
        except ValueError:
            self._file.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def blocks(self, key: str) -> dict[int, Block]:
        """The blocks of a case, by number."""
        return self._blocks.setdefault(key, {})

    def append(self, key: str, block: int, tallies: Mapping[str, Tally]) -> None:
        """Record one block of a case."""
        sums = {name: [tally.words, tally.total, tally.events] for name, tally in tallies.items()}
        self._write({"key": key, "block": block, "tallies": sums})
        self.blocks(key)[block] = dict(tallies)

    def _write(self, record: Mapping[str, object]) -> None:
        if self._file is None:
            raise ValueError(f"{self.path} is not open: use the store in a with statement")
        self._file.write(json.dumps(record) + "\n")
        self._file.flush()

    def _read(self) -> None:
        assert self._file is not None  # noqa: S101 - __enter__ has just opened it
        self._file.seek(0)
        text = self._file.read()
        if not text:
            self._write(FORMAT)
            return
        header, whole = json.dumps(FORMAT) + "\n", text.rfind("\n") + 1
        if not (text.startswith(header) or header.startswith(text)):
            raise ValueError(f"{self.path} is not a store: its line 1 is not {header.strip()}")  # nothing was touched
        if whole < len(text):
            warnings.warn(f"{self.path}: dropped an incomplete last line", stacklevel=3)
            self._file.truncate(len(text[:whole].encode()))
        for number, line in enumerate(text[:whole].splitlines()[1:], 2):
            try:
                self._take(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
                raise ValueError(f"{self.path}, line {number}, is not a store's: {error}") from None
        if not whole:
            self._write(FORMAT)

    def _take(self, record: dict[str, object]) -> None:
        tallies = {name: Tally(int(w), float(t), int(e)) for name, (w, t, e) in record["tallies"].items()}  # type: ignore[attr-defined]
        self.blocks(str(record["key"]))[int(record["block"])] = tallies  # type: ignore[call-overload]
