"""``jscc-sim sweep``: a codec over a channel, point by point, beside exact values."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jscc_sim.cli import options
from jscc_sim.cli.options import DEFAULT_GRID, FILE, SEED, GridCommand

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jscc_sim.catalog import Request
    from jscc_sim.montecarlo import Budget, Case, Row
    from jscc_sim.store import Store

INTERRUPTED = 130
SNR_GRID = "0:20:2"


@dataclass(frozen=True)
class Outlets:
    """Where rows go beside the screen."""

    store: Path | None
    csv: Path | None
    plot: Path | None
    json: bool
    exact: Mapping[tuple[str, str], list[tuple[float, float]]]


def channel_options(command: Callable[..., object]) -> Callable[..., object]:
    """The options that say what is sent through what."""
    for option in reversed(
        (
            click.option(
                "--channel", required=True, help="awgn, jammer, rayleigh, rician, bsc, bec, bsc-flip or bec-flip."
            ),
            click.option(
                "--snr",
                "snr_db",
                callback=options.grid,
                metavar="GRID",
                is_flag=False,
                flag_value=SNR_GRID,
                help=f"SNR grid in dB, as 0:20:2, 0,3,10 or 5  [{SNR_GRID}, or where FILE was trained].",
            ),
            click.option(
                "--at",
                callback=options.grid,
                metavar="GRID",
                is_flag=False,
                flag_value=DEFAULT_GRID,
                help="Grid of the channel's knob: its SNR in dB, or its probability  [0:0.2:0.05].",
            ),
            click.option(
                "--source",
                help="gaussian, gaussian:0.9 (correlated neighbours), gaussian:FILE.npy (a covariance), laplace, "
                "uniform, bits, images, images:mnist, images:fashion-mnist, images:cifar10 or images:FOLDER.",
            ),
            click.option(
                "--codec",
                "codecs",
                multiple=True,
                help="linear, klt, uncoded, repetition, repetition-3 (-5, ...), hamming, bch, ldpc, convolutional, "
                "FILE or package.module:factory, a factory(k, n); may be repeated.",
            ),
            click.option(
                "--policy",
                help="The jammer's: gaussian, two-point, pulsed:DUTY, uniform, laplace, tap:NOISE, source-aware, "
                "tone:FREQUENCY, reactive:THRESHOLD or FILE  [gaussian].",
            ),
            click.option(
                "--sjr",
                "sjr_db",
                type=float,
                callback=options.finite,
                metavar="DB",
                help="Signal-to-jammer ratio in dB  [0, or that of FILE].",
            ),
            click.option(
                "--jsr",
                "jsr_db",
                type=float,
                callback=options.finite,
                metavar="DB",
                help="Jammer-to-signal ratio in dB: minus --sjr.",
            ),
            click.option("--shared", help="Common randomness of transmitter and receiver: sign or rotation."),
            click.option("--flips", type=int, help="The flipping adversary's budget per word  [1]."),
            click.option("--erasures", type=int, help="How many symbols of a word it may erase besides  [0]."),
            click.option(
                "--informed/--blind", default=None, help="Whether it sees errors and erasures first  [informed]."
            ),
            click.option(
                "--attack", help="steepest, exhaustive or random  [steepest; exhaustive for hamming and bch]."
            ),
            click.option("--csi/--no-csi", default=None, help="Whether the receiver knows the fading gain  [csi]."),
            click.option("--k-factor", type=float, help="Rician K factor, a ratio  [1]."),
            click.option("--k", type=int, help="Source symbols per word  [1; 512 ldpc, 64 convolutional, 7 bch]."),
            click.option("--n", type=int, help="Channel uses per word  [the codec's own]."),
        )
    ):
        command = option(command)
    return command


def budget_options(command: Callable[..., object]) -> Callable[..., object]:
    """The options that say how long to measure, by whom, and where it is kept."""
    for option in reversed(
        (
            click.option(
                "--rel-error",
                type=float,
                help="Half-width of the 95 % interval over the mean  [0.01; error rates 0.1].",
            ),
            click.option(
                "--words", type=int, help="Words per point instead, rounded up to whole blocks, 30 of them for a mean."
            ),
            click.option(
                "--max-words",
                type=int,
                help="Words after which an error rate gives up (a mean does not)  [1,000 blocks].",
            ),
            click.option("--seed", type=SEED, default=0, show_default=True),
            click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes."),
            click.option("--scheduler", metavar="ADDRESS", help="Address of a running Dask scheduler, instead."),
            click.option("--store", type=FILE, help="Record measured blocks; the same command resumes."),
            click.option("--csv", type=FILE, help="Write the rows into FILE as well."),
            click.option("--plot", type=FILE, help="Draw the rows into FILE (.png, .pdf, .svg)."),
            click.option("--json", "as_json", is_flag=True, help="One JSON object per line instead of a table."),
        )
    ):
        command = option(command)
    return command


@click.command(cls=GridCommand)
@channel_options
@budget_options
def sweep(
    *,
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
    lower bound is undercut. For trained players the exact value is J*, the saddle value of their game, and they agree
    with it within 1 %. The exit code is 1 if any disagrees.
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
    from jscc_sim.montecarlo import Budget

    request = Request(sjr_db=-jsr_db if jsr_db is not None else sjr_db, **asked)  # type: ignore[arg-type]
    cases = make_cases(request)
    outlets = Outlets(store, csv, plot, as_json, _curves(request, cases) if plot else {})
    return _sweep(cases, Budget(words, rel_error, max_words), outlets, seed, partial(_executor, workers, scheduler))


def _curves(request: Request, cases: list[Case]) -> Mapping[tuple[str, str], list[tuple[float, float]]]:
    """The exact curves through the levels of a sweep, for its figure."""
    from jscc_sim.catalog import exact_curves

    levels = [float(case.labels["level"]) for case in cases]  # type: ignore[arg-type]
    return exact_curves(request, min(levels), max(levels)) if min(levels) < max(levels) else {}


def _executor(workers: int, scheduler: str | None):  # type: ignore[no-untyped-def]  # a context manager of options
    return options.workers_or_cluster(workers, scheduler)


def _sweep(cases: list[Case], budget: Budget, outlets: Outlets, seed: int, executor: Callable) -> int:  # type: ignore[type-arg]
    """Measure and show the cases; whatever stops the run, what was measured is drawn and kept."""
    from jscc_sim import montecarlo
    from jscc_sim.store import Store
    from jscc_sim.verify import verdict

    rows: list[Row] = []
    with ExitStack() as stack:
        record: Store | None = stack.enter_context(Store(outlets.store)) if outlets.store else None
        progress = stack.enter_context(options.progress_bar("measuring", len(cases), "points", "words"))
        pool = stack.enter_context(executor())
        try:
            for number, case in enumerate(cases):
                heard = partial(progress, number)
                for row in montecarlo.sweep([case], budget, store=record, seed=seed, executor=pool, progress=heard):
                    _show(row, first=not rows, as_json=outlets.json)
                    rows.append(row)
        except KeyboardInterrupt:
            click.echo(_how_to_go_on(len(rows), outlets.store), err=True)
            return INTERRUPTED
        finally:
            keep(rows, outlets)
    if not all(row.complete for row in rows):
        click.echo("Some error rates gave up before they were as narrow as asked: see --max-words.", err=True)
    return int(any(verdict(row) == "disagrees" for row in rows))


def _show(row: Row, *, first: bool, as_json: bool) -> None:
    from jscc_sim import report

    if first and not as_json:
        click.echo(f"{row.title}, seed {row.seed}\n{report.COLUMNS}")
    click.echo(report.as_json(row) if as_json else report.line(row))


def keep(rows: list[Row], outlets: Outlets) -> None:
    """Write and draw what was measured."""
    from jscc_sim import report

    if outlets.csv and rows:
        outlets.csv.write_text(report.as_csv(rows))
    if outlets.plot and rows:
        options.draw(outlets.plot, lambda figures: figures.curves(rows, outlets.exact))


def _how_to_go_on(rows: int, store: Path | None) -> str:
    kept = (
        f"what was finished is in {store}: the same command resumes"
        if store
        else "with --store FILE a run can be resumed"
    )
    return f"Interrupted after {rows} rows; {kept}."
