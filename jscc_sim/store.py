"""An append-only record of what was measured, so that sweeps resume, extend and merge."""

import fcntl
import json
import math
import os
import platform
import warnings
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, nullcontext, suppress
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import IO

from jscc_sim.tally import Tally

FORMAT = {"jscc_sim_store": 3, "version": version("jscc-sim")}
# Machines may differ in the last bits of a sum; more than this means that the files disagree.
SAME = 1e-6
Block = dict[str, Tally]
Record = Mapping[str, object]


class Store:
    """A file of JSON lines. After a header come, in the order in which they happened,

    - a case: ``{"case": name, ...}`` with its seed, labels, parameters, exact values and the versions that computed it,
    - its blocks: ``{"block": i, "of": name, "tallies": {metric: [words, total, events]}}``,
    - its rows: ``{"row": {...}, "of": name}``, as they were shown.

    One process writes at a time. The header names the format and the version of jscc-sim, because another version may
    compute other numbers; a last line cut short by a kill is dropped with a warning, damage anywhere else is a
    ValueError.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.cases: dict[str, Record] = {}
        self.rows: dict[str, dict[str, Record]] = {}
        self._blocks: dict[str, dict[int, Block]] = {}
        self._file: IO[bytes] | None = None

    def __enter__(self) -> "Store":
        if self.path.exists() and not self.path.is_file():
            raise ValueError(f"{self.path} is not a regular file: a store must be one")
        self._file = self.path.open("ab+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise ValueError(f"{self.path} is being written by another run: wait for it, or use another file") from None
        with ExitStack() as failed:
            failed.push(self.__exit__)
            self._file.seek(0)
            whole = self._read(self._file.read())
            if whole < os.fstat(self._file.fileno()).st_size:
                self._file.truncate(whole)
            if whole == 0:
                self._write(FORMAT)
            failed.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            # On a full disk closing fails again: the first complaint is the one that names the file.
            with suppress(OSError) if kind else nullcontext():
                self._file.close()

    @classmethod
    def open(cls, path: str | Path) -> "Store":
        """A store to look into, read once and left as it is."""
        store = cls(path)
        if not store.path.is_file():
            raise FileNotFoundError(f"no store at {store.path}")
        if store._read(store.path.read_bytes()) == 0:
            raise ValueError(f"{path} is not a store: it is empty")
        return store

    def blocks(self, name: str) -> dict[int, Block]:
        """The blocks of a case, by number."""
        return self._blocks.setdefault(name, {})

    def count(self) -> int:
        """How many blocks there are."""
        return sum(len(blocks) for blocks in self._blocks.values())

    def begin(self, name: str, case: Record) -> None:
        """Record what a case is, once, and what computes it."""
        if name in self.cases:
            return
        record = {**case, "versions": versions()}
        self._write({"case": name, **record})
        self.cases[name] = record

    def append(self, name: str, number: int, block: Mapping[str, Tally]) -> None:
        """Record one block of a case."""
        tallies = {metric: [tally.words, tally.total, tally.events] for metric, tally in block.items()}
        self._write({"block": number, "of": name, "tallies": tallies})
        self.blocks(name)[number] = dict(block)

    def report(self, name: str, row: Record) -> None:
        """Record a row of a case as it was shown, unless it was so before."""
        rows = self.rows.setdefault(name, {})
        if rows.get(str(row["metric"])) != row:
            self._write({"row": row, "of": name})
            rows[str(row["metric"])] = row

    def merge(self, others: Iterable["Store"]) -> None:
        """Take over what other stores know; ValueError if two know the same block differently, and nothing is taken."""
        others = list(others)
        _check_agreement([self, *others])
        for other in others:
            for name, case in other.cases.items():
                if name not in self.cases:
                    self._write({"case": name, **case})
                    self.cases[name] = case
                for number, block in sorted(other.blocks(name).items()):
                    if number not in self.blocks(name):
                        self.append(name, number, block)
                for row in other.rows.get(name, {}).values():
                    self.report(name, row)

    def _write(self, record: Record) -> None:
        if self._file is None:
            raise ValueError(f"{self.path} is not open: use the store in a with statement")
        try:
            self._file.write(json.dumps(record).encode() + b"\n")
            self._file.flush()
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.path)) from None

    def _read(self, text: bytes) -> int:
        """Take in the lines of a store; how many bytes of it are whole."""
        header, whole = json.dumps(FORMAT).encode() + b"\n", text.rfind(b"\n") + 1
        if len(text) < len(header) and header.startswith(text):  # cut short within its first line, or empty
            return 0
        if not text.startswith(header):
            raise ValueError(f"{self.path} {_strange(text)}")  # nothing was touched
        if whole < len(text):
            warnings.warn(f"{self.path}: dropped an incomplete last line", stacklevel=4)
        for number, line in enumerate(text[:whole].split(b"\n")[1:-1], 2):
            try:
                self._take(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
                raise ValueError(f"{self.path}, line {number}, is damaged: {_said(error)}") from None
        return whole

    def _take(self, record: dict) -> None:  # type: ignore[type-arg]  # whatever JSON holds; checked as it is taken
        if "case" in record:
            self.cases[str(record.pop("case"))] = record
            return
        name = str(record["of"])
        if name not in self.cases:
            raise ValueError(f"no case {name} stands before it")
        if "row" in record:
            self.rows.setdefault(name, {})[str(record["row"]["metric"])] = record["row"]
        else:
            block = {metric: _tally(*sums) for metric, sums in record["tallies"].items()}
            self.blocks(name)[_count(record["block"])] = block


def _check_agreement(stores: Iterable[Store]) -> None:
    """ValueError that names two stores which know the same block differently."""
    first: dict[tuple[str, int], tuple[Block, Path]] = {}
    for store in stores:
        for name in store.cases:
            for number, block in store.blocks(name).items():
                known, path = first.setdefault((name, number), (block, store.path))
                if not all(_alike(known[metric], block[metric]) for metric in known.keys() & block.keys()):
                    raise ValueError(
                        f"{store.path} and {path} know block {number} of case {name} differently: do not mix them"
                    )


def versions() -> dict[str, str]:
    """What computes here: packages, Python and the machine's architecture."""
    packages = {name: version(name) for name in ("jscc-sim", "torch", "numpy", "scipy")}
    return packages | {"python": platform.python_version(), "machine": platform.machine()}


def _tally(words: object, total: object, events: object) -> Tally:
    """A tally as it was stored; ValueError if it cannot have been one."""
    tally = Tally(_count(words), float(str(total)), _count(events))
    if not (tally.words >= tally.events and tally.words and math.isfinite(tally.total)):
        raise ValueError(f"[{words}, {total}, {events}] is no tally")
    return tally


def _count(number: object) -> int:
    if type(number) is not int or number < 0:
        raise ValueError(f"{number} is no count")
    return number


def _said(error: Exception) -> str:
    return f"no {error}" if isinstance(error, KeyError) else str(error)


def _alike(one: Tally, other: Tally) -> bool:
    return (one.words, one.events) == (other.words, other.events) and math.isclose(
        one.total, other.total, rel_tol=SAME, abs_tol=1e-300
    )


def _strange(text: bytes) -> str:
    """What is wrong with a store's first line."""
    try:
        header = json.loads(text.partition(b"\n")[0])
    except ValueError:
        header = None
    if not (isinstance(header, dict) and "jscc_sim_store" in header):
        return f"is not a store: its line 1 is not {json.dumps(FORMAT)}"
    if header == FORMAT:
        return "was changed by another program: its line 1 does not end as jscc-sim ends lines"
    theirs, mine = (f"jscc-sim {h.get('version', '?')} (format {h['jscc_sim_store']})" for h in (header, FORMAT))
    return f"was written by {theirs}, this is {mine}: use another file"
