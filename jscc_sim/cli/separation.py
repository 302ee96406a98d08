"""``jscc-sim separation``: images by separate source and channel coding, beside what joint coding does."""

from __future__ import annotations

import json
import math
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from jscc_sim.cli import options
from jscc_sim.cli.grids import GridCommand, grid
from jscc_sim.cli.progress import progress_bar

if TYPE_CHECKING:
    from pathlib import Path

    from jscc_sim.separation import Loss, Mode, Outcome

COLUMNS = "SNR (dB)  PSNR (dB)  ± s.e.  of MSE   uses/image  bits/image spent      header "
COLUMNS += "  lost     at most  format    scheme"


@click.command(cls=GridCommand)
@click.option(
    "--data", default="cifar10", show_default=True, help="A set as in jscc-sim data, or a folder of pictures."
)
@click.option("--ratio", default="1/6", show_default=True, help="Complex channel uses per value of an image.")
@click.option("--channel", type=click.Choice(["awgn", "rayleigh"]), default="awgn", show_default=True)
@click.option("--snr", "snr_db", callback=grid, default="1:19:6", show_default=True, metavar="GRID", help="SNR in dB.")
@click.option("--format", "formats", multiple=True, help="jpeg, jpeg2000 or webp; may be repeated  [the best of all].")
@click.option("--images", type=click.IntRange(64), default=1024, show_default=True, help="So many test images.")
@click.option("--words", type=click.IntRange(1), default=500, show_default=True, help="Blocks sent to measure losses.")
@options.decibels("--designed-for", "Keep the format and rate that are best at this SNR in dB  [the best for each].")
@click.option("--seed", type=options.SEED, default=0, show_default=True)
@click.option("--store", type=options.FILE, help="Record measured blocks; the same command resumes.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line instead of a table.")
def separation(
    *,
    data: str,
    ratio: str,
    channel: str,
    snr_db: tuple[float, ...],
    formats: tuple[str, ...],
    images: int,
    words: int,
    designed_for_db: float | None,
    seed: int,
    store: Path | None,
    as_json: bool,
) -> int:
    """Send images by JPEG, JPEG 2000 or WebP and a channel code, at the best rate for each SNR.

    64 images make a mosaic, a file of its own, and each is charged a 64th of its bits, header and all. Two lines for
    each SNR: what the same files would do at capacity (over slow Rayleigh fading, at the best rate with outage), and
    5G LDPC codes on points of QAM, whose blocks of about 6,480 bits fill the uses, and whose losses are measured. A
    mosaic that fades has one gain. The receiver knows the format, the mode and whether a mosaic is lost; then, or if no
    file is better, it shows the mean of the training images. With --designed-for one format and rate stand at every
    SNR, and show the cliff. Over fading it takes minutes.

    The columns: PSNR, the mean over images, with what is lost counted, and its standard error; PSNR of the mean error;
    complex uses of an image, the bits that these carry, the bits spent, and those that a file takes which is grey all
    over, its header and the least of a body; the share of mosaics lost, and the end of its 95 % interval, which more
    --words make narrower.
    """
    from jscc_sim.data.parts import load_parts
    from jscc_sim.separation import (
        FORMATS,
        SIDE,
        OverFading,
        OverNoise,
        coded,
        designed,
        ideal,
        in_outage,
        modes,
        practical,
    )
    from jscc_sim.spelling import bandwidth_ratio, known
    from jscc_sim.store import Store

    for name in formats:
        known("image format", name, FORMATS)
    parts = load_parts(data)
    test, mean = parts.test.images[:images], parts.train.images.mean(0, dtype=float)
    uses = float(bandwidth_ratio(ratio) * math.prod(test.shape[1:]))
    modes(int(uses * SIDE**2))  # lest images be coded for a ratio that is too small
    wanted = formats or tuple(FORMATS)
    with ExitStack() as stack:
        tell = stack.enter_context(progress_bar("separation", len(wanted) + len(snr_db), "steps", "steps"))
        record = stack.enter_context(Store(store)) if store else None
        codes = []
        for index, name in enumerate(wanted):
            tell(index, 0, 1, f"coding by {name}")
            codes.append(coded(test, name, mean))

        def lost(mode: Mode, level: float) -> Loss:
            return mode.lost_in_noise(level, words, record, seed)

        limit, losses = (ideal, OverNoise(lost)) if channel == "awgn" else (in_outage, OverFading(lost))
        fixed = None if designed_for_db is None else designed(codes, uses, designed_for_db, losses)
        if designed_for_db is not None and fixed is None:
            raise ValueError(f"no mode carries anything at --designed-for {designed_for_db:g} dB: use a higher SNR")
        if not as_json:
            click.echo(f"{len(test)} images of {data} over {channel}, ratio {ratio}, seed {seed}\n{COLUMNS}")
        for index, level in enumerate(snr_db):
            tell(len(wanted) + index, 0, 1, f"SNR {level:g} dB")
            _show(limit(codes, uses, level), as_json=as_json)
            _show(fixed.at(level, losses) if fixed else practical(codes, uses, level, losses), as_json=as_json)
    return 0


def _show(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(outcome._asdict()))
        return
    line = f"{outcome.snr_db:<8g}  {outcome.psnr:<9.2f}  {outcome.psnr_error:<6.2f}  {outcome.psnr_of_mse:<7.2f}"
    line += f"  {outcome.uses:<10.4g}  {outcome.budget:<9.1f}  {outcome.spent:<9.1f}  {outcome.header:<7.1f}"
    line += f"  {outcome.lost:<7.2g}  {outcome.lost_most:<7.2g}  {outcome.format:<8}  {outcome.scheme}"
    click.echo(line)
