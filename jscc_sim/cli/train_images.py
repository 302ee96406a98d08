"""``jscc-sim train images``: DeepJSCC, images as channel symbols."""

from __future__ import annotations

import json
import math
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from jscc_sim.cli import options
from jscc_sim.cli.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import ModuleType

    from matplotlib.figure import Figure

    from jscc_sim.data.parts import Parts
    from jscc_sim.deepjscc import Epoch, Study

    Result = dict[str, Any]


@click.command()
@click.option(
    "--data", default="cifar10", show_default=True, help="A set as in jscc-sim data, or a folder of pictures."
)
@click.option("--ratio", default="1/6", show_default=True, help="Complex channel uses per value of an image.")
@click.option("--channel", default="awgn", show_default=True, help="awgn, rayleigh or jammer.")
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
@click.option("--preset", default="full", show_default=True, help="How it learns: quick or full.")
@click.option("--epochs", type=click.IntRange(1), help="Passes over the images  [those of the preset].")
@click.option("--seed", type=options.FIRST_SEED, default=0, show_default=True, help="The first seed.")
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="How many, in a row.")
@click.option("--images", type=click.IntRange(1), help="Learn from at most so many images, for quick tries.")
@click.option("--judged-images", type=click.IntRange(2), help="Be judged by at most so many.")
@click.option("--device", default="cpu", show_default=True, help="Where to train: cpu or cuda.")
@click.option("--out", type=options.FILE, help="Keep codecs and results here; what is there is not repeated.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per seed instead of a table.")
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
    seed: int,
    seeds: int,
    images: int | None,
    judged_images: int | None,
    device: str,
    out: Path | None,
    as_json: bool,
) -> int:
    """Train convolutional nets to send images as channel symbols (DeepJSCC), and measure what arrives of unseen ones.

    PSNR in dB and SSIM are means over test images and ten draws of the channel. Every word has power one per real use,
    and SNR is P/N per real use; the result says the power, the uses and the peak that were measured. The weights are
    those that did best on validation images. An interrupted command goes on with --out DIR as if it had not been.

    The codec can be swept: jscc-sim sweep --codec DIR/... --channel awgn --snr 0:20:2
    """
    if out and out.exists() and not out.is_dir():
        raise NotADirectoryError(f"{out} is not a folder to save the codecs into")
    in_a_row = options.seeds_from(seed, seeds)
    from dataclasses import replace

    from jscc_sim.data.parts import load_parts
    from jscc_sim.deepjscc import PRESETS, Study
    from jscc_sim.seeds import check_device
    from jscc_sim.spelling import known

    check_device(device)
    known("preset", preset, PRESETS)
    recipe = replace(PRESETS[preset], epochs=epochs or PRESETS[preset].epochs)
    few = (images, judged_images)
    levels = _levels(snr_db)
    studies = [Study(data, ratio, channel, levels, sjr_db, peak, recipe, own, *few) for own in in_a_row]
    parts = load_parts(data)
    studies[0].check(parts)
    results: list[Result] = []
    with progress_bar("train images", len(studies), "codecs", "codecs") as tell:
        for index, study in enumerate(studies):
            results.append(_result(study, parts, out / study.name if out else None, device, partial(tell, index)))
            if as_json:
                click.echo(json.dumps({name: value for name, value in results[-1].items() if name != "curve"}))
    if not as_json:
        click.echo(_table(results))
    if out:
        _draw(studies[0], results, parts, out)
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


def _result(
    study: Study, parts: Parts, folder: Path | None, device: str, tell: Callable[[int, int, str], None]
) -> Result:
    """What a study came to: from its folder if it is finished there, else conducted now."""
    from jscc_sim.deepjscc import finish

    def hear(epoch: Epoch) -> None:
        done, planned = round(1000 * epoch.number), 1000 * (study.recipe.epochs + 1)
        stage = "measuring" if epoch.number == study.recipe.epochs else f"epoch {math.ceil(epoch.number)}"
        tell(done, planned, f"{study.name}, {stage}: MSE {epoch.mse:.5f}")

    try:
        return finish(study, parts, folder, device=device, hear=hear)
    except KeyboardInterrupt:
        kept = f"the same command goes on from the last epoch in {folder}" if folder else "nothing is kept"
        click.echo(f"{kept}.", err=True)
        raise


def _draw(study: Study, results: Sequence[Result], parts: Parts, out: Path) -> None:
    """Draw figures into the first codec's folder: how it degrades, what arrives of images, how all of them learned."""
    from jscc_sim.deepjscc import exhibit

    shown, name = exhibit(study, out / study.name, parts), study.name
    curves = {f"seed {result['seed']}": result["curve"] for result in results}
    figures: dict[str, Callable[[ModuleType], Figure]] = {
        "fidelity": lambda plot: plot.fidelity_curves({name: shown.psnr}, {name: shown.ssim}, study.snr_db),
        "received": lambda plot: plot.received_images(shown.originals, shown.received, "SNR (dB)"),
        "curves": lambda plot: plot.learning_curve(curves),
    }
    for file, figure in figures.items():
        options.draw(out / study.name / f"{file}.png", figure)


def _table(results: Sequence[Mapping[str, Any]]) -> str:
    """A line per seed and SNR."""
    lines = ["seed  SNR (dB)  PSNR (dB)  SSIM    power   uses/value  CPU s"]
    for result in results:
        for level, psnr, ssim in zip(result["judged_at"], result["test_psnr"], result["test_ssim"], strict=True):
            line = f"{result['seed']:<4}  {level:<8g}  {psnr:<9.3f}  {ssim:<6.4f}  {result['power']:<6.4f}"
            lines.append(f"{line}  {result['uses_per_value']:<10.4g}  {result['cpu_seconds']:.0f}")
    return "\n".join(lines)
