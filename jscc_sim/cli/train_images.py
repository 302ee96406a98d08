"""``jscc-sim train images``: DeepJSCC, images as channel symbols."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from jscc_sim.cli import options
from jscc_sim.cli.training import RUN_OPTIONS, Run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import ModuleType

    from matplotlib.figure import Figure

    from jscc_sim.data.parts import Parts
    from jscc_sim.deepjscc import Study

    Result = dict[str, Any]


@click.command()
@click.option(
    "--data", default="cifar10", show_default=True, help="A set as in jscc-sim data, or a folder of pictures."
)
@click.option("--ratio", default="1/6", show_default=True, help="Complex channel uses per value of an image.")
@click.option("--channel", default="awgn", show_default=True, help="awgn, jammer, ofdm, rayleigh or tdl.")
@click.option(
    "--snr",
    "snr_db",
    default="10",
    show_default=True,
    metavar="DB[:DB]",
    help="SNR in dB; or from one to another, as 0:20, for nets that are told it.",
)
@options.decibels("--sjr", "Of jammer: signal-to-jammer ratio in dB; the jammer learns against the codec.")
@click.option("--peak", type=float, help="Most power of a complex symbol, over the mean  [no limit].")
@click.option("--preset", default="full", show_default=True, help="How it learns: quick, full or paper.")
@click.option("--epochs", type=click.IntRange(1), help="Passes over the images  [those of the preset].")
@options.apply(RUN_OPTIONS)
def images(
    *,
    data: str,
    ratio: str,
    channel: str,
    snr_db: str,
    sjr_db: float | None,
    peak: float | None,
    preset: str,
    epochs: int | None,
    **run: Any,
) -> int:
    """Train convolutional nets to send images as channel symbols (DeepJSCC), and measure what arrives of unseen ones.

    PSNR in dB and SSIM are means over test images, each sent once. Every word has power one per real use,
    and SNR is P/N per real use; the result says the power, the uses and the peak that were measured. The weights are
    those that did best on validation images, against a jammer the last ones. An interrupted command goes on with
    --out DIR as if it had not been.

    The codec can be swept: jscc-sim sweep --codec DIR/... --channel awgn --snr 0:20:2. A jammer that learned with it is
    kept beside it, and plays as --policy DIR/...
    """
    asked = Run(**run)
    asked.check()
    from dataclasses import replace

    from jscc_sim.data.parts import load_parts
    from jscc_sim.deepjscc import PRESETS, Study, finish
    from jscc_sim.spelling import known

    known("preset", preset, PRESETS)
    recipe = replace(PRESETS[preset], epochs=epochs or PRESETS[preset].epochs)
    study = Study(
        data=data,
        ratio=ratio,
        channel=channel,
        snr_db=_levels(snr_db),
        sjr_db=sjr_db,
        peak=peak,
        recipe=recipe,
        images=asked.images,
        judged_images=asked.judged_images,
    )
    parts = load_parts(data)
    study.check(parts)
    studies = [replace(study, seed=seed) for seed in asked.in_a_row]
    results = asked.results("train images", studies, parts, finish)
    if not asked.as_json:
        click.echo(_table(results))
    if asked.out:
        _draw(studies[0], results, parts, asked.out)
    return 0


def _levels(snr_db: str) -> tuple[float, ...]:
    """One level, or the two ends of a range."""
    try:
        levels = tuple(float(part) for part in snr_db.split(":"))
    except ValueError:
        levels = ()
    if len(levels) not in (1, 2) or not all(map(math.isfinite, levels)):
        raise click.BadParameter(f"{snr_db!r} is neither a level in dB nor a range such as 0:20", param_hint="--snr")
    return levels


def _draw(study: Study, results: Sequence[Result], parts: Parts, out: Path) -> None:
    """Draw figures into the first codec's folder: how it degrades, what arrives of images, how all of them learned."""
    from jscc_sim.deepjscc import exhibit

    shown, name = exhibit(study, out / study.name, parts), study.name
    title = f"{study.data}, ratio {study.ratio}, {study.channel}"
    title += "" if study.sjr_db is None else f", SJR {study.sjr_db:g} dB"
    curves = {f"seed {result['seed']}": result["curve"] for result in results}
    figures: dict[str, Callable[[ModuleType], Figure]] = {
        "fidelity": lambda plot: plot.fidelity_curves(
            {name: shown.psnr}, {name: shown.ssim}, study.snr_db, title=title
        ),
        "received": lambda plot: plot.received_images(shown.originals, shown.received, "SNR (dB)"),
        "curves": lambda plot: plot.learning_curve(curves),
    }
    for file, figure in figures.items():
        options.draw(out / study.name / f"{file}.png", figure)


def _table(results: Sequence[Mapping[str, Any]]) -> str:
    """A line per seed and SNR."""
    lines = ["seed  SNR (dB)  PSNR (dB)  ± s.e.  SSIM    ± s.e.  power   uses/value  CPU s"]
    scores = ("test_psnr", "test_psnr_error", "test_ssim", "test_ssim_error")
    for result in results:
        for level, *scored in zip(result["judged_at"], *(result[score] for score in scores), strict=True):
            psnr, psnr_error, ssim, ssim_error = scored
            line = (
                f"{result['seed']:<4}  {level:<8g}  {psnr:<9.3f}  {psnr_error:<6.3f}  {ssim:<6.4f}  {ssim_error:<6.4f}"
            )
            line += f"  {result['power']:<6.4f}"
            lines.append(f"{line}  {result['uses_per_value']:<10.4g}  {result['cpu_seconds']:.0f}")
    return "\n".join(lines)
