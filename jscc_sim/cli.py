"""The command line. Heavy imports stay inside the commands, so that help is instant."""

from __future__ import annotations

import json
import math
import re
import signal
import sys
import time
import warnings
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from concurrent.futures import Executor
    from types import ModuleType

    from matplotlib.figure import Figure

    from jscc_sim.montecarlo import Budget, Case, Row

INTERRUPTED = 130
BROKEN_PIPE = 141
MOST_POINTS = 10_000
SNR_GRID = "0:20:2"
DEFAULT_GRID = "="
SEED = click.IntRange(0, 2**63 - 1)
TRAINING_SEED = click.IntRange(0, 2**32 - 1)  # torch's generator takes 32 bits: a longer seed would repeat a shorter
GRIDS = ("--snr", "--at")
# A value may start with a minus sign, which click would take for the next option.
NUMBER = re.compile(r"=?-?[\d.]")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 fine, 1 a verdict failed, 2 usage, 130 interrupted."""
    with warnings.catch_warnings():
        warnings.showwarning = _warn  # type: ignore[assignment]  # it takes what it needs
        return _run(arguments)


def _warn(message: Warning | str, *details: object) -> None:
    click.echo(f"Warning: {message}", err=True)


def _run(arguments: Sequence[str] | None) -> int:
    try:
        return int(cli.main(arguments, prog_name="jscc-sim", standalone_mode=False) or 0)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
    except click.ClickException as error:
        click.echo(f"Error: {error.format_message()}", err=True)
    except SystemExit:  # click's answer to a reader that went away
        return BROKEN_PIPE
    except OSError as error:
        said = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        click.echo(f"Error: {said}", err=True)
    except (ValueError, ArithmeticError) as error:
        click.echo(f"Error: {error}", err=True)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    return 2


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


def _grid(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[float, ...] | None:
    """The points of a grid, computed in decimals so that 0:0.2:0.05 ends at 0.2; none for a bare option."""
    if value is None:
        return None
    if value == DEFAULT_GRID:
        return ()
    text = value.lstrip("=")
    try:
        parts = [Decimal(part) for part in re.split("[:,]", text)]
    except ArithmeticError:
        raise click.BadParameter(f"{text!r} is not a grid: write 0:20:2, 0,3,10 or 5") from None
    if not all(part.is_finite() for part in parts):
        raise click.BadParameter(f"{text!r} is not finite; without a jammer use --channel awgn, and a finite SNR")
    if ":" not in text:
        return tuple(float(part) for part in parts)
    if "," in text or len(parts) != 3:
        raise click.BadParameter(f"{text!r} is not a grid: write 0:20:2, 0,3,10 or 5")
    start, stop, step = parts
    if not step > 0 or start > stop:
        raise click.BadParameter(f"{text!r} has no points: start:stop:step needs start <= stop and step > 0")
    if stop - start >= MOST_POINTS * step:
        raise click.BadParameter(f"{text!r} has over {MOST_POINTS} points")
    return tuple(float(start + index * step) for index in range(int((stop - start) / step) + 1))


def _finite(ctx: click.Context, param: click.Parameter, value: float | None) -> float | None:
    """A finite number of dB, or an error that says what to use instead."""
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} dB is not finite; without a jammer use --channel awgn")
    return value


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="jscc-sim")
def cli() -> None:
    """Joint source-channel coding against jammers: simulate, compare with exact curves, play the game."""


@cli.command(cls=GridCommand)
@click.option("--channel", required=True, help="awgn, jammer, bsc, bec, bsc-flip or bec-flip.")
@click.option(
    "--snr",
    "snr_db",
    callback=_grid,
    metavar="GRID",
    is_flag=False,
    flag_value=SNR_GRID,
    help=f"SNR grid in dB  [{SNR_GRID}, or where FILE was trained].",
)
@click.option(
    "--at",
    callback=_grid,
    metavar="GRID",
    is_flag=False,
    flag_value=DEFAULT_GRID,
    help="Grid of the channel's knob: its SNR in dB, or its probability  [0:0.2:0.05].",
)
@click.option("--source", help="gaussian, bits, images, images:mnist, images:fashion-mnist or images:FOLDER.")
@click.option(
    "--codec",
    "codecs",
    multiple=True,
    help="linear, klt, uncoded, repetition, repetition-3 (-5, ...), ldpc, convolutional or FILE; may be repeated.",
)
@click.option("--policy", help="The jammer's: gaussian, two-point or FILE  [gaussian].")
@click.option(
    "--sjr",
    "sjr_db",
    type=float,
    callback=_finite,
    metavar="DB",
    help="Signal-to-jammer ratio in dB  [0, or that of FILE].",
)
@click.option(
    "--jsr", "jsr_db", type=float, callback=_finite, metavar="DB", help="Jammer-to-signal ratio in dB: minus --sjr."
)
@click.option("--flips", type=int, help="The flipping adversary's budget per word  [1].")
@click.option("--informed/--blind", default=None, help="Whether it sees errors and erasures first  [informed].")
@click.option("--k", type=int, help="Source symbols per word  [1; 512 for ldpc, 64 for convolutional].")
@click.option("--n", type=int, help="Channel uses per word  [the codec's own].")
@click.option("--rel-error", type=float, help="Half-width of the 95 % interval over the mean  [0.01; error rates 0.1].")
@click.option("--words", type=int, help="Words per point instead, rounded up to whole blocks, 30 of them for a mean.")
@click.option(
    "--max-words", type=int, help="Words after which an error rate gives up (a mean does not)  [1,000 blocks]."
)
@click.option("--seed", type=SEED, default=0, show_default=True)
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes.")
@click.option("--store", type=click.Path(path_type=Path), help="Record measured blocks; the same command resumes.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw the rows into FILE (.png, .pdf, .svg).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line instead of a table.")
def sweep(
    *,
    channel: str,
    snr_db: tuple[float, ...] | None,
    at: tuple[float, ...] | None,
    source: str | None,
    codecs: tuple[str, ...],
    policy: str | None,
    sjr_db: float | None,
    jsr_db: float | None,
    flips: int | None,
    informed: bool | None,
    k: int | None,
    n: int | None,
    rel_error: float | None,
    words: int | None,
    max_words: int | None,
    seed: int,
    workers: int,
    store: Path | None,
    plot: Path | None,
    as_json: bool,
) -> int:
    """Measure a codec over a channel, point by point, beside exact values.

    For example: jscc-sim sweep --channel jammer --snr 0:20:2

    A verdict "agrees" says that the exact value is not rejected, two-sided, at 1e-5. For trained players the exact
    value is J*, the saddle value of their game, and they agree with it within 1 %. The exit code is 1 if any disagrees.
    """
    if sjr_db is not None and jsr_db is not None:
        raise click.UsageError("--sjr and --jsr say the same thing: give one of them")
    if words is not None and (rel_error is not None or max_words is not None):
        raise click.UsageError("--words fixes how long to measure: --rel-error and --max-words do not go with it")
    from jscc_sim.catalog import Request, make_cases
    from jscc_sim.montecarlo import Budget

    asked = Request(
        channel=channel,
        codecs=codecs,
        source=source,
        snr_db=snr_db,
        at=at,
        policy=policy,
        sjr_db=-jsr_db if jsr_db is not None else sjr_db,
        flips=flips,
        informed=informed,
        k=k,
        n=n,
    )
    budget = Budget(words, rel_error, max_words)
    return _sweep(make_cases(asked), budget, seed=seed, workers=workers, store=store, plot=plot, as_json=as_json)


def _sweep(
    cases: list[Case], budget: Budget, *, seed: int, workers: int, store: Path | None, plot: Path | None, as_json: bool
) -> int:
    """Measure and show the cases; whatever stops the run, what was measured is drawn and kept."""
    from jscc_sim import montecarlo, report
    from jscc_sim.store import Store
    from jscc_sim.verify import verdict

    if plot:
        _drawable(plot)
    rows: list[Row] = []
    with ExitStack() as stack:
        record = stack.enter_context(Store(store)) if store else None
        progress = stack.enter_context(_progress("measuring", len(cases), "points", "words"))
        executor = stack.enter_context(_executor(workers))
        try:
            for number, case in enumerate(cases):
                heard = partial(progress, number)
                for row in montecarlo.sweep([case], budget, store=record, seed=seed, executor=executor, progress=heard):
                    if not (rows or as_json):
                        click.echo(f"{row.title}, seed {seed}\n{report.COLUMNS}")
                    rows.append(row)
                    click.echo(report.as_json(row) if as_json else report.line(row))
        except KeyboardInterrupt:
            click.echo(_how_to_go_on(len(rows), store), err=True)
            return INTERRUPTED
        finally:
            if plot and rows:
                _draw(plot, lambda figures: figures.curves(rows))
    if not all(row.complete for row in rows):
        click.echo("Some error rates gave up before they were as narrow as asked: see --max-words.", err=True)
    return int(any(verdict(row) == "disagrees" for row in rows))


def _how_to_go_on(rows: int, store: Path | None) -> str:
    kept = (
        f"what was finished is in {store}: the same command resumes"
        if store
        else "with --store FILE a run can be resumed"
    )
    return f"Interrupted after {rows} rows; {kept}."


def _drawable(path: Path) -> None:
    """Complain about a figure's file before the work is done, not after."""
    from jscc_sim.plot import check_suffix

    check_suffix(path)
    if not path.absolute().parent.is_dir():
        raise FileNotFoundError(f"no folder {path.absolute().parent} to draw {path.name} into")


def _draw(path: Path, figure: Callable[[ModuleType], Figure]) -> None:
    from jscc_sim import plot

    plot.save(figure(plot), path)
    click.echo(f"figure: {path}", err=True)


@contextmanager
def _executor(workers: int) -> Iterator[Executor | None]:
    """Fresh processes, or none for one worker; an interrupt reaches the parent alone, which cancels what waits."""
    if workers == 1:
        yield None
        return
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
def _progress(what: str, total: int, unit: str, part: str) -> Iterator[Callable[[int, int, int], None]]:
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


@cli.command()
@click.option("--k", type=click.IntRange(1, 64), default=1, show_default=True, help="Symbols and uses per word.")
@click.option(
    "--snr",
    "snr_db",
    type=float,
    callback=_finite,
    metavar="DB",
    default=10.0,
    show_default=True,
    help="Signal-to-noise ratio in dB.",
)
@click.option(
    "--sjr",
    "sjr_db",
    type=float,
    callback=_finite,
    metavar="DB",
    default=0.0,
    show_default=True,
    help="Signal-to-jammer ratio in dB.",
)
@click.option("--steps", type=click.IntRange(1), default=2500, show_default=True, help="Training steps of each player.")
@click.option("--seed", type=TRAINING_SEED, default=0, show_default=True)
@click.option("--device", default="cpu", show_default=True, help="Where to train: cpu or cuda.")
@click.option("--out", type=click.Path(path_type=Path), help="Save the pair into this folder.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw the payoff and the jammer's density into FILE.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def play(
    *,
    k: int,
    snr_db: float,
    sjr_db: float,
    steps: int,
    seed: int,
    device: str,
    out: Path | None,
    plot: Path | None,
    as_json: bool,
) -> int:
    """Play a learned jammer against a learned codec, from a two-point start, and measure the payoff over J*.

    J* is the exact value of the Gaussian jamming game; KS is the Kolmogorov-Smirnov distance of the jammer's signal to
    the Gaussian. A payoff near J* does not prove that no better jammer exists. The exit code is 1 if the payoff's 95 %
    interval lies outside J* ± 1 %.
    """
    if plot:
        _drawable(plot)
    if out and (out / "play.json").exists():
        raise FileExistsError(f"{out} already holds a pair: choose another folder")
    if out and out.exists() and not out.is_dir():
        raise NotADirectoryError(f"{out} is not a folder to save the pair into")
    from jscc_sim.game import Game, measure, save
    from jscc_sim.game import play as play_game

    with _progress("playing", steps, "steps", "steps") as tell:
        played = play_game(Game(k, snr_db, sjr_db, steps, seed), device, lambda step: tell(step - 1, 1, 1))
    result = measure(played) | {"cpu_seconds": round(time.process_time(), 2)}
    if out:
        save(played, result, out)
    if plot:
        _draw(plot, lambda figures: figures.game(played.ratios, played.jammers))
    click.echo(json.dumps(result) if as_json else _describe(result))
    return int(result["verdict"] == "disagrees")


def _describe(result: Mapping[str, object]) -> str:
    """The result of a game in words."""
    template = (
        "payoff/J*    {payoff_ratio:.4f}  [{low:.4f}, {high:.4f}]  within 1 % of J*: {within}\n"
        "jammer's KS  {ks:.4f}  (a Gaussian sample of this size: {ks_null:.4f})\n"
        "CPU seconds  {cpu_seconds}"
    )
    within = {"agrees": "yes", "disagrees": "no"}.get(str(result["verdict"]), "undecided")
    return template.format(within=within, **result)


if __name__ == "__main__":
    sys.exit(main())
