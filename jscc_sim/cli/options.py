"""Options that several commands share, and files that are looked at before the work is done."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

    from matplotlib.figure import Figure

    Command = Callable[..., object]
    Option = Callable[[Command], Command]

INTERRUPTED = 130
FILE = click.Path(path_type=Path)
SEED = click.IntRange(0, 2**63 - 1)
SEEDS = 2**32  # of trainings: torch's generator takes 32 bits, and a longer seed would repeat a shorter
FIRST_SEED = click.IntRange(0, SEEDS - 1)
MODULATION = click.option(
    "--modulation", help="Bits on points of qpsk, 8psk, 16qam, 64qam or 256qam  [one by one, as ±1]."
)


def apply(options: Sequence[Option]) -> Option:
    """A decorator that gives a command all these options, listed by ``--help`` in this order."""

    def applied(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return applied


def decibels(name: str, says: str, default: float | None = None) -> Option:
    """A finite ratio in dB: ``--snr`` is handed over as ``snr_db``."""
    return click.option(
        name,
        f"{name.removeprefix('--').replace('-', '_')}_db",
        type=float,
        callback=_finite,
        metavar="DB",
        default=default,
        show_default=True,
        help=says,
    )


def _finite(ctx: click.Context, param: click.Parameter, value: float | None) -> float | None:
    """A finite number of dB, or an error that says what to use instead."""
    if value is not None and not math.isfinite(value):
        idle = value > 0 and param.name == "sjr_db" and ctx.info_name == "sweep"
        remedy = "without a jammer use --channel awgn" if idle else "give a finite number"
        raise click.BadParameter(f"{value} dB is not finite; {remedy}")
    return value


def seeds_from(first: int, count: int) -> range:
    """So many seeds of trainings in a row."""
    if first + count > SEEDS:
        raise ValueError(f"seeds end at {SEEDS - 1}, but {count} from {first} on are asked for")
    return range(first, first + count)


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


def folder(path: Path | None) -> None:
    """Complain about a folder that cannot be made before the work is done, not after."""
    if path and (file := next((one for one in (path, *path.parents) if one.is_file()), None)):
        raise NotADirectoryError(f"{file} is not a folder to save into, but a file: choose another --out")


def draw(path: Path, figure: Callable[[ModuleType], Figure]) -> None:
    """Draw a figure into a file and say so."""
    from jscc_sim import plot

    plot.save(figure(plot), path)
    click.echo(f"figure: {path}", err=True)
