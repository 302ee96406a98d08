"""A record of results, a line of JSON each, which many machines can add to: what is in it is not done again."""

import argparse
import json
import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from jscc_sim.data.parts import Parts, load_parts

DIGITS = 6

Result = Mapping[str, Any]


def parser(says: str | None, parts: Collection[str], what: str) -> argparse.ArgumentParser:
    """The options of a command that conducts a part of some studies, each of which makes a ``what``."""
    found = argparse.ArgumentParser(description=says, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("part", choices=parts)
    found.add_argument("--out", type=Path, required=True, help=f"where {what}s and results are kept")
    found.add_argument("--seed", type=int, default=0, help="the first  [0]")
    found.add_argument("--seeds", type=int, default=3, help="how many, in a row  [3]")
    found.add_argument("--minutes", type=float, default=math.inf, help=f"begin no {what} after so many  [no limit]")
    found.add_argument("--processes", type=int, default=2, help=f"{what}s at a time, each with one thread  [2]")
    found.add_argument("--quick", action="store_true", help="one epoch of few images: only shows that all runs")
    return found


@lru_cache
def parts_of(data: str) -> Parts:
    """The images of a set, which a process keeps."""
    return load_parts(data)


class Described(Protocol):
    """A study, as far as the record looks at it."""

    def describe(self) -> dict[str, Any]:
        """It as plain values by name."""


def rounded(result: Result, left_out: tuple[str, ...]) -> dict[str, Any]:
    """What is kept of a result: six digits of numbers that stand alone, and nothing that begins as ``left_out``."""
    kept = {name: value for name, value in result.items() if not name.startswith(left_out)}
    return {name: float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value for name, value in kept.items()}


def cell(values: Sequence[float], digits: int = 2) -> str:
    """Mean ± standard deviation over seeds."""
    spread = f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{np.mean(values):.{digits}f}{spread}"


def recorded(studies: Mapping[str, Described], record: Path, aside: Collection[str] = ()) -> dict[str, Result]:
    """What the record holds of studies by name; SystemExit if it holds another study under a name.

    They may differ in what is left ``aside``.
    """
    lines = map(json.loads, record.read_text().splitlines()) if record.exists() else ()
    found = {line["name"]: line for line in lines if line["name"] in studies}
    for name, line in found.items():
        told = json.loads(json.dumps(studies[name].describe()))
        if differing := [key for key, value in told.items() if key not in aside and line.get(key) != value]:
            raise SystemExit(f"{record} holds another {name} ({', '.join(differing)} differ): remove that line")
    return found


def run(
    studies: Mapping[str, Described],
    attempt: Callable[[Any, Path], dict[str, Any]],
    out: Path,
    record: Path,
    *,
    aside: Collection[str] = (),
    minutes: float = math.inf,
    processes: int = 2,
) -> dict[str, Result]:
    """Attempt the studies that the record lacks, several at a time, and add them to it; all that it then holds.

    None is begun after so many ``minutes``. An attempt that raises FloatingPointError is told, and not recorded; any
    other error ends the run, once what was begun beside it is recorded.
    """
    out.mkdir(parents=True, exist_ok=True)
    known, deadline = recorded(studies, record, aside), time.time() + 60 * minutes
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        names = {
            pool.submit(_in_time, attempt, study, out / name, deadline): name
            for name, study in studies.items()
            if name not in known
        }
        waiting, errors = set(names), []
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                name = names[future]
                if error := future.exception():
                    errors.append(error)
                    waiting = {other for other in waiting if not other.cancel()}
                    continue
                if not isinstance(became := future.result(), str):
                    known[name] = {"name": name, **became}
                    with record.open("a") as lines:
                        lines.write(json.dumps(known[name]) + "\n")
                print(f"{time.strftime('%H:%M')} {name}: {became if isinstance(became, str) else 'done'}", flush=True)
    if errors:
        raise errors[0]
    return {name: known[name] for name in studies if name in known}


def _in_time(
    attempt: Callable[[Any, Path], dict[str, Any]], study: Described, folder: Path, deadline: float
) -> dict[str, Any] | str:
    """What the record is to hold, or why there is nothing."""
    if time.time() > deadline:
        return "left"
    try:
        return attempt(study, folder)
    except FloatingPointError as error:
        return f"failed: {error}"
