"""``jscc-sim check-snr``: what a user's own code truly delivers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jscc_sim.cli import options

if TYPE_CHECKING:
    from collections.abc import Callable

    from jscc_sim.sources import Source


@click.command("check-snr")
@click.argument("name", metavar="PACKAGE.MODULE:FACTORY|FILE")
@options.decibels("--snr", "Asked for.", default=10.0)
@click.option(
    "--power", type=float, default=1.0, show_default=True, help="Budget per symbol as given, real or complex."
)
@click.option(
    "--source",
    help="Words: gaussian, laplace, uniform, bits, images (of Fashion-MNIST), images:cifar10, …  [by the code].",
)
@click.option("--k", type=click.IntRange(1), help="Source symbols per word  [by the code, else 16].")
@click.option("--seed", type=options.SEED, default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def check_snr(
    name: str, *, snr_db: float, power: float, source: str | None, k: int | None, seed: int, as_json: bool
) -> int:
    """Measure the power, SNR and bandwidth ratio that your own code truly delivers, and name the slip.

    FACTORY(snr_db) returns two callables, encode and channel, on torch tensors or numpy arrays, real or complex. SNR is
    P/N per real use. The exit code is 1 if the code does not deliver what is asked. That every word has the same power
    is usual where words are --source images, and a slip elsewhere.

    FILE is a codec that jscc-sim trained: over white noise, for images that it never saw or Gaussian words.
    """
    from jscc_sim.catalog import is_file
    from jscc_sim.factory import load_factory
    from jscc_sim.snr_check import check_snr as check

    factory = _trained(name) if is_file(name) else load_factory(name)[0]
    try:
        report = check(factory, snr_db, k, seed=seed, power=power, source=_kind(source))
    except TypeError as error:  # the user's code is of the wrong kind, which is no bug of ours
        raise click.ClickException(" ".join(str(error).split())) from error
    click.echo(json.dumps(report.as_dict()) if as_json else "\n".join(report.lines()))
    return int(not report.ok)


def _trained(name: str) -> Callable[[float], object]:
    """Links of a saved codec over white noise, with the words that it is for."""
    from channels import AWGN
    from jscc_sim.catalog import build_source, unseen
    from jscc_sim.link import Link
    from jscc_sim.players import load_codec

    codec, record = load_codec(Path(name))
    source = build_source("gaussian" if record.played else unseen(str(record.trained["data"])), None, codec.k)

    def factory(snr_db: float) -> Link:
        channel = AWGN(1.0).at(snr_db)
        return Link(source, codec.told(channel), channel)

    return factory


def _kind(name: str | None) -> Callable[[int], Source] | None:
    """Words of that name, as long as the code wants them; images are as long as they are."""
    from jscc_sim.catalog import build_source

    if name is None:
        return None
    return lambda k: build_source(name, None if name.partition(":")[0] == "images" else k, k)
