"""``jscc-sim data``: real image sets."""

from __future__ import annotations

import json
from pathlib import Path

import click

from jscc_sim.cli import options


@click.group()
def data() -> None:
    """Bring real image sets onto this machine: $JSCC_SIM_DATA, or ~/.cache/jscc-sim."""


@data.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line instead of a table.")
def list_sets(as_json: bool) -> None:
    """List the sets, and whether they are here."""
    from jscc_sim.data import describe

    for state in describe():
        if as_json:
            record = state._asdict() if hasattr(state, "_asdict") else dict(vars(state))
            click.echo(json.dumps(record, default=str))
            continue
        here = " and ".join(state.splits) if state.splits else f"not here: jscc-sim data fetch {state.name}"
        wrong = f"; not as published: {', '.join(state.wrong)}" if state.wrong else ""
        click.echo(f"{state.name:<14} {state.train} + {state.test} of {state.shape}  {here}{wrong}  ({state.licence})")


@data.command()
@click.argument("name")
def fetch(name: str) -> None:
    """Download NAME (mnist, fashion-mnist or cifar10) from its public mirrors, checked by hash."""
    from jscc_sim import data as sets

    click.echo(f"{name}: {sets.fetch(name, progress=_Bar(name))}", err=True)


@data.command("import")
@click.argument("name")
@click.argument("path", type=options.FILE)
def import_path(name: str, path: Path) -> None:
    """Take NAME over from PATH, already on this machine: a folder, .tgz, .tar or .npz, checked by hash."""
    from jscc_sim import data as sets

    click.echo(f"{name}: {sets.import_set(name, path)}", err=True)


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
