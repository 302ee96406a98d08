"""``jscc-sim sweep``: a codec over a channel, point by point, beside exact values."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jscc_sim.cli import options
from jscc_sim.cli.grids import GridCommand
from jscc_sim.cli.progress import progress_bar, training_bar
from jscc_sim.cli.sweep_options import BUDGET_OPTIONS, CHANNEL_OPTIONS
from jscc_sim.cli.workers import workers_or_cluster

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Executor
    from contextlib import AbstractContextManager

    from jscc_sim.case import Case
    from jscc_sim.catalog import Request
    from jscc_sim.estimators import Estimator
    from jscc_sim.montecarlo import Budget, Row
    from jscc_sim.store import Store

    Workers = AbstractContextManager[Executor | None]
    Curve = list[tuple[float, float]]


@dataclass(frozen=True)
class Outlets:
    """Where rows go beside the screen."""

    store: Path | None
    csv: Path | None
    plot: Path | None
    json: bool
    exact: Mapping[tuple[str, str], Curve]
    guides: Mapping[str, Mapping[str, Curve]]


@click.command(cls=GridCommand)
@options.apply(CHANNEL_OPTIONS + BUDGET_OPTIONS)
def sweep(
    *,
    estimator: str,
    jsr_db: float | None,
    sjr_db: float | None,
    words: int | None,
    rel_error: float | None,
    max_words: int | None,
    seed: int,
    workers: int,
    scheduler: str | None,
    store: Path | None,
    csv: Path | None,
    plot: Path | None,
    as_json: bool,
    **asked: object,
) -> int:
    """Measure a codec over a channel, point by point, beside exact values.

    For example: jscc-sim sweep --channel jammer --snr 0:20:2

    A verdict "agrees" says that the exact value is not rejected, two-sided, at 1e-5; "disagrees" that it is, or that a
    bound is crossed. Without --policy and --codec, a jammer and a codec that learned the game play at each point; pairs
    beyond SNR 0:20:2 at SJR 0 are trained first, once. Their exact value is J*, the saddle value, and they agree with
    it if their interval lies within 1 % of it and they keep to L, which no codec undercuts against the jammer, and U,
    which no jammer exceeds against the codec. The exit code is 1 if any disagrees. Estimators other than plain need
    fewer words where their assumptions hold, and refuse other links; control and sobol give no verdict: they would miss
    a wrong noise power.
    """
    if sjr_db is not None and jsr_db is not None:
        raise click.UsageError("--sjr and --jsr say the same thing: give one of them")
    if words is not None and (rel_error is not None or max_words is not None):
        raise click.UsageError("--words fixes how long to measure: --rel-error and --max-words do not go with it")
    if scheduler and workers > 1:
        raise click.UsageError("--scheduler brings its own workers: --workers does not go with it")
    options.drawable(plot)
    options.writable(csv)
    from jscc_sim.catalog import Request, make_cases
    from jscc_sim.estimators import ESTIMATORS
    from jscc_sim.montecarlo import Budget

    request = Request(sjr_db=-jsr_db if jsr_db is not None else sjr_db, **asked)  # type: ignore[arg-type]
    chosen = ESTIMATORS[estimator]()
    with training_bar() as tell:
        cases = make_cases(request, tell)
    for case in cases:
        chosen.check(case.link)  # all of them before the first is measured
    exact, guides = _curves(request, cases) if plot else ({}, {})
    outlets = Outlets(store, csv, plot, as_json, exact, guides)
    budget, pool = Budget(words, rel_error, max_words), workers_or_cluster(workers, scheduler)
    return _sweep(cases, budget, outlets, seed, pool, chosen)


def _curves(request: Request, cases: list[Case]) -> tuple[dict[tuple[str, str], Curve], dict[str, dict[str, Curve]]]:
    """The exact curves through the levels of a sweep, and what codes of its size can do, for its figure."""
    from jscc_sim.catalog import exact_curves, guide_curves

    levels = [float(case.labels["level"]) for case in cases]  # type: ignore[arg-type]
    if min(levels) == max(levels):
        return {}, {}
    return exact_curves(request, min(levels), max(levels)), guide_curves(cases)


def _sweep(
    cases: list[Case], budget: Budget, outlets: Outlets, seed: int, workers: Workers, estimator: Estimator
) -> int:
    """Measure and show the cases; whatever stops the run, what was measured is drawn and kept."""
    from concurrent.futures import BrokenExecutor

    from jscc_sim import montecarlo
    from jscc_sim.factory import said
    from jscc_sim.store import Store
    from jscc_sim.verify import verdict

    rows: list[Row] = []
    with ExitStack() as stack:
        record: Store | None = stack.enter_context(Store(outlets.store)) if outlets.store else None
        progress = stack.enter_context(progress_bar("measuring", len(cases), "points", "words"))
        pool = stack.enter_context(workers)
        try:
            for number, case in enumerate(cases):
                heard = partial(progress, number)
                measured = montecarlo.sweep(
                    [case], budget, estimator=estimator, store=record, seed=seed, executor=pool, progress=heard
                )
                for row in measured:
                    _show(row, rows[-1] if rows else None, as_json=outlets.json)
                    rows.append(row)
        except KeyboardInterrupt:
            click.echo(_how_to_go_on(len(rows), outlets.store), err=True)
            return options.INTERRUPTED
        except (RuntimeError, TypeError, LookupError, AttributeError) as error:
            if not case.origin or isinstance(error, BrokenExecutor):
                raise
            raise click.ClickException(f"codec {case.labels['codec']} failed: {said(error)}") from None
        finally:
            keep(rows, outlets)
    if not all(row.complete for row in rows):
        click.echo("Some error rates gave up before they were as narrow as asked: see --max-words.", err=True)
    return int(any(verdict(row) == "disagrees" for row in rows))


def _show(row: Row, before: Row | None, *, as_json: bool) -> None:
    from jscc_sim import report

    heading = report.heading(row)
    if not as_json and (before is None or report.heading(before) != heading):
        click.echo(f"{heading}\n{report.columns(row)}")
    click.echo(report.as_json(row) if as_json else report.line(row))


def keep(rows: list[Row], outlets: Outlets) -> None:
    """Write and draw what was measured."""
    from jscc_sim import report

    if outlets.csv and rows:
        outlets.csv.write_text(report.as_csv(rows))
    if outlets.plot and rows:
        options.draw(outlets.plot, lambda figures: figures.curves(rows, outlets.exact, outlets.guides))


def _how_to_go_on(rows: int, store: Path | None) -> str:
    kept = (
        f"what was finished is in {store}: the same command resumes"
        if store
        else "with --store FILE a run can be resumed"
    )
    return f"Interrupted after {rows} rows; {kept}."
