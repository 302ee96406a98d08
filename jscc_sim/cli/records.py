"""``jscc-sim show``, ``plot`` and ``merge``: what stores know."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from jscc_sim.cli import options
from jscc_sim.cli.options import FILE

if TYPE_CHECKING:
    from jscc_sim.montecarlo import Row

STORES = click.argument("stores", metavar="STORE...", nargs=-1, required=True, type=FILE)


def _rows(stores: tuple[Path, ...]) -> list[Row]:
    from jscc_sim.montecarlo import rows_of
    from jscc_sim.store import Store

    rows = [row for path in stores for row in rows_of(Store.open(path))]
    if not rows:
        raise ValueError(f"{', '.join(map(str, stores))}: nothing was measured there yet")
    return rows


@click.command()
@STORES
@click.option("--csv", type=FILE, help="Write the rows into FILE as well.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line instead of a table.")
def show(stores: tuple[Path, ...], csv: Path | None, as_json: bool) -> int:
    """Print the rows that STOREs know, without measuring; the exit code is 1 if any disagrees.

    A point whose run never ended shows what its blocks say so far, as incomplete.
    """
    from jscc_sim import report
    from jscc_sim.verify import verdict

    options.writable(csv)
    rows, heading = _rows(stores), ""
    for row in rows:
        if not as_json and report.heading(row) != heading:
            heading = report.heading(row)
            click.echo(f"{heading}\n{report.columns(row)}")
        click.echo(report.as_json(row) if as_json else report.line(row))
    if csv:
        csv.write_text(report.as_csv(rows))
    return int(any(verdict(row) == "disagrees" for row in rows))


@click.command()
@STORES
@click.option("--out", type=FILE, required=True, help="The figure's file (.png, .pdf, .svg).")
def plot(stores: tuple[Path, ...], out: Path) -> None:
    """Draw the rows that STOREs know: points with error bars, exact curves as lines."""
    options.drawable(out)
    rows = _rows(stores)
    options.draw(out, lambda figures: figures.curves(rows))


@click.command()
@STORES
@click.option("--out", type=FILE, required=True, help="The store that takes everything in; it may exist.")
def merge(stores: tuple[Path, ...], out: Path) -> None:
    """Merge STOREs, from several machines perhaps, into one; a sweep with --store then counts all their blocks."""
    from jscc_sim.store import Store

    options.writable(out)
    found = [Store.open(path) for path in stores if path.absolute() != out.absolute()]
    with Store(out) as into:
        into.merge(found)
        click.echo(f"{out}: {into.count()} blocks of {len(into.cases)} cases", err=True)
