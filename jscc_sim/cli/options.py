"""What several commands share: grids, finite decibels, figures' files, workers, the progress bar."""

from __future__ import annotations

import math
import os
import re
import signal
import sys
import time
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor
    from types import ModuleType

    from matplotlib.figure import Figure

MOST_POINTS = 10_000
DEFAULT_GRID = "="
GRIDS = ("--snr", "--at")
FILE = click.Path(path_type=Path)
SEED = click.IntRange(0, 2**63 - 1)
# A value may start with a minus sign, which click would take for the next option.
NUMBER = re.compile(r"=?-?[\d.]")


class GridCommand(click.Command):
    """A command whose ``--snr`` and ``--at`` may stand alone or before a grid that starts with a minus."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Join ``--snr -5:5:1`` into ``--snr==-5:5:1``: click takes a value for an option by its first character."""
        joined: list[str] = []
        for word in args:
            if joined and joined[-1] in GRIDS and NUMBER.match(word):
                joined[-1] += f"=={word}"
            else:
                joined.append(re.sub(f"^({'|'.join(GRIDS)})=-", r"\1==-", word))
        return super().parse_args(ctx, joined)


def grid_points(text: str) -> tuple[float, ...]:
    """The points of a grid, computed in decimals so that 0:0.2:0.05 ends at 0.2."""
    wrong = f"{text!r} is not a grid: write 0:20:2, 0,3,10 or 5"
    try:
        parts = [Decimal(part) for part in re.split("[:,]", text)]
    except ArithmeticError:
        raise click.BadParameter(wrong) from None
    if not all(part.is_finite() for part in parts):
        raise click.BadParameter(f"{text!r} is not finite; without a jammer use --channel awgn, and a finite SNR")
    if ":" not in text:
        return tuple(float(part) for part in parts)
    if "," in text or len(parts) != 3:
        raise click.BadParameter(wrong)
    start, stop, step = parts
    if not step > 0 or start > stop:
        raise click.BadParameter(f"{text!r} has no points: start:stop:step needs start <= stop and step > 0")
    if stop - start >= MOST_POINTS * step:
        raise click.BadParameter(f"{text!r} has over {MOST_POINTS} points")
    return tuple(float(start + index * step) for index in range(int((stop - start) / step) + 1))


def grid(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[float, ...] | None:
    """The points of a grid option; none for a bare option."""
    if value is None:
        return None
    return () if value == DEFAULT_GRID else grid_points(value.lstrip("="))


def finite(ctx: click.Context, param: click.Parameter, value: float | None) -> float | None:
    """A finite number of dB, or an error that says what to use instead."""
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} dB is not finite; without a jammer use --channel awgn")
    return value


def drawable(path: Path | None) -> None:
    """Complain about a figure's file before the work is done, not after."""
    if path is None:
        return
    from jscc_sim.plot import check_suffix

    check_suffix(path)
    writable(path)


def writable(path: Path | None) -> None:
    """Complain about a file's folder before the work is done, not after."""
    if path is not None and not path.absolute().parent.is_dir():
        raise FileNotFoundError(f"no folder {path.absolute().parent} to write {path.name} into")


def draw(path: Path, figure: Callable[[ModuleType], Figure]) -> None:
    """Draw a figure into a file and say so."""
    from jscc_sim import plot

    plot.save(figure(plot), path)
    click.echo(f"figure: {path}", err=True)


@contextmanager
def workers_or_cluster(workers: int, scheduler: str | None) -> Iterator[Executor | None]:
    """None for one worker, fresh processes for several, or a running Dask cluster."""
    if scheduler:
        with _cluster(scheduler) as executor:
            yield executor
    elif workers > 1:
        with _processes(workers) as executor:
            yield executor
    else:
        yield None


@contextmanager
def _processes(workers: int) -> Iterator[Executor]:
    """Fresh processes; an interrupt reaches the parent alone, which cancels what waits."""
    import multiprocessing
    from concurrent.futures import BrokenExecutor, ProcessPoolExecutor

    spawn = multiprocessing.get_context("spawn")
    deaf = (signal.SIGINT, signal.SIG_IGN)
    pool = ProcessPoolExecutor(workers, mp_context=spawn, initializer=signal.signal, initargs=deaf)
    try:
        yield pool
    except BrokenExecutor:
        raise click.ClickException("a worker died, perhaps for want of memory: try fewer --workers") from None
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _cluster(address: str) -> Iterator[Executor]:
    """The workers of the Dask scheduler at ``address``, which search this working directory for a user's own parts."""
    try:
        from distributed import Client
        from distributed.scheduler import KilledWorker
    except ImportError:
        raise click.ClickException("--scheduler needs Dask: pip install 'jscc-sim[cluster]'") from None
    try:
        client = Client(address, timeout=10)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise click.ClickException(f"no Dask scheduler answers at {address}: {error}") from None
    with client:
        if not client.scheduler_info()["workers"]:
            raise click.ClickException(f"the Dask scheduler at {address} has no workers: start some with 'dask worker'")
        client.run(sys.path.append, os.getcwd())
        try:
            yield client.get_executor()  # type: ignore[no-untyped-call]
        except KilledWorker as error:
            raise click.ClickException(f"a Dask worker died: {error}") from None


@contextmanager
def progress_bar(what: str, total: int, unit: str, part: str) -> Iterator[Callable[[int, int, int], None]]:
    """A bar on a terminal, silence elsewhere: tell it (items finished, part done, part planned) of the item at hand."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), TextColumn("{task.percentage:.0f}% of"), TextColumn(f"{total} {unit}"))
    with Progress(
        *columns,
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
        redirect_stdout=sys.stdout.isatty(),
    ) as bar:
        task = bar.add_task(what, total=total, rate="")
        start = time.monotonic()
        before, item, last = 0, 0, 0

        def tell(finished: int, done: int, planned: int) -> None:
            nonlocal before, item, last
            before += last if finished != item else 0
            item, last = finished, done
            rate = (before + done) / max(time.monotonic() - start, 1e-9)
            bar.update(task, completed=finished + done / planned, rate=f"{rate:.3g} {part}/s")

        yield tell
