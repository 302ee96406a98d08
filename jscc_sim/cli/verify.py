"""``jscc-sim verify``: does the whole instrument agree with its exact curves, and would it notice if not?"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from jscc_sim.cli import options
from jscc_sim.cli.progress import progress_bar
from jscc_sim.cli.workers import workers_or_cluster

if TYPE_CHECKING:
    from pathlib import Path

    from jscc_sim.verify import Checked, Verification

TABLE = "{:<36} {:<9} {:>11} {:>11} {:>7} {:>8}  {:<4} {}"


@click.command()
@click.option("--quick", is_flag=True, help="A ninth of the words, three times the margins.")
@click.option("--seed", type=options.SEED, help="Another seed than the plan's own.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes.")
@click.option("--csv", type=options.FILE, help="Write the points into FILE as well.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per point, then one for the whole.")
def verify(quick: bool, seed: int | None, workers: int, csv: Path | None, as_json: bool) -> int:
    """Measure every identity of a frozen plan by plain Monte Carlo and test it for equivalence with its exact value.

    A point is verified if it lies within its margin (0.5 % for means, 2 % for error rates) by two one-sided tests at
    5 %, and is not rejected two-sided after Holm's correction at 1e-3; the family, if its chi-square has p > 1e-3. The
    exit code is 1 if anything is not verified.
    """
    options.writable(csv)
    from jscc_sim.verify import make_plan
    from jscc_sim.verify import verify as run
    from jscc_sim.verify.plan import SEED

    plan = make_plan(quick=quick, seed=SEED if seed is None else seed)
    with (
        progress_bar("verifying", len(plan.trials) + 1, "trials", "blocks") as tell,
        workers_or_cluster(workers, None) as executor,
    ):
        found = run(plan, executor, tell)
    _print(found, as_json)
    if csv:
        _write(found, csv)
    return int(not found.verified)


def _print(found: Verification, as_json: bool) -> None:
    whole = {"verified": found.verified, "points": len(found.points), "family_p": found.family, "plan": found.plan}
    if as_json:
        for point in found.points:
            click.echo(json.dumps({**asdict(point), "p_value": point.p_value, "verified": point.verified}))
        click.echo(json.dumps(whole))
        return
    click.echo(TABLE.format("trial", "metric", "mean", "exact", "margin", "z", "TOST", "Holm"))
    for point in found.points:
        click.echo(_line(point))
    failed = sum(not point.verified for point in found.points)
    said = "verified" if found.verified else f"NOT VERIFIED ({failed} points failed)"
    click.echo(f"{said}: {len(found.points)} points, family p = {found.family:.3g}, plan {found.plan}")


def _line(point: Checked) -> str:
    z = "–" if point.z is None else f"{point.z:+.2f}"
    margin = f"{point.margin:.1g}" if point.exact == 0 else f"{point.margin / point.exact:.1%}"
    tost, holm = ("yes" if passed else "NO" for passed in (point.equivalent, point.kept))
    mean, exact = f"{point.mean:.5g}", f"{point.exact:.5g}"
    return TABLE.format(point.trial, point.metric, mean, exact, margin, z, tost, holm)


def _write(found: Verification, path: Path) -> None:
    import csv

    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*asdict(found.points[0]), "plan"])
        writer.writeheader()
        writer.writerows({**asdict(point), "plan": found.plan} for point in found.points)
