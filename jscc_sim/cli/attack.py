"""``jscc-sim attack``: the worst jammer that can be found for a codec, and where the search may be fooled."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from jscc_sim.cli import options
from jscc_sim.cli.progress import progress_bar

if TYPE_CHECKING:
    from jscc_sim.attack import Row
    from jscc_sim.link import Link

# At which a codec that wants to know the noise is built where there is none.
NOISELESS_DB = 100.0


def _snr(ctx: click.Context, param: click.Parameter, value: float | None) -> float | None:
    """A number of dB, or ``inf`` for no noise."""
    if value is not None and not (math.isfinite(value) or value == math.inf):
        raise click.BadParameter(f"{value} dB is no level; give a finite number, or inf for no noise")
    return value


@click.command()
@click.option("--codec", required=True, help="A name as in jscc-sim list, FILE or package.module:factory(k, n).")
@click.option("--channel", type=click.Choice(["jammer"]), default="jammer", show_default=True, help="What attacks.")
@click.option(
    "--snr", "snr_db", type=float, callback=_snr, metavar="DB", help="SNR in dB, or inf  [10, or that of FILE]."
)
@options.decibels("--sjr", "Signal-to-jammer ratio in dB  [0, or that of FILE].")
@click.option("--source", help="Words, as for sweep  [what suits the codec].")
@click.option("--k", type=click.IntRange(1), help="Source symbols per word  [the codec's own].")
@click.option("--n", type=click.IntRange(1), help="Channel uses per word  [the codec's own].")
@options.MODULATION
@click.option("--seed", type=options.SEED, default=0, show_default=True)
@click.option("--quick", is_flag=True, help="About a quarter of the words and steps.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def attack(
    *,
    codec: str,
    channel: str,
    snr_db: float | None,
    sjr_db: float | None,
    source: str | None,
    k: int | None,
    n: int | None,
    modulation: str | None,
    seed: int,
    quick: bool,
    as_json: bool,
) -> int:
    """Find the worst power-limited jammer for any codec, differentiable or not, next to jammers in closed form.

    A fixed ensemble: gradients of the loss and through steps, score functions, CMA-ES, signals of few parameters. None
    sees what is sent, except "linear". All are measured on the same words, by which none was chosen. Flags say where
    the audit may be fooled; that nothing worse was found proves nothing.
    """
    from jscc_sim.attack import ROWS
    from jscc_sim.attack import attack as audit_of
    from jscc_sim.attack.report import as_dict, lines, rows_alone

    link = _link(codec, source, snr_db, sjr_db, k=k, n=n, modulation=modulation)
    noise_power = 0.0 if snr_db == math.inf else float(link.channel.noise_power)  # type: ignore[arg-type]
    jam_power = float(link.channel.jam_power)  # type: ignore[arg-type]
    done: list[Row] = []
    with progress_bar("attacking", ROWS, "attacks", "attacks") as tell:

        def heard(row: Row) -> None:
            done.append(row)
            tell(len(done), 0, 1)

        try:
            audit = audit_of(link.codec, link.source, jam_power, noise_power, seed, quick=quick, progress=heard)
        except ValueError:
            click.echo("\n".join(rows_alone(done)), err=True, nl=bool(done))  # what was measured before it failed
            raise
    name = f"{codec}, {modulation}" if modulation else codec
    click.echo(json.dumps(as_dict(audit, name)) if as_json else "\n".join(lines(audit, name)))
    return 0


def _link(
    codec: str,
    source: str | None,
    snr_db: float | None,
    sjr_db: float | None,
    *,
    k: int | None,
    n: int | None,
    modulation: str | None,
) -> Link:
    """The codec with its source and a jammer at its powers, as `sweep` would have them."""
    from jscc_sim.catalog import Request, is_file, make_cases

    levels = None if snr_db is None and is_file(codec) else (min(10.0 if snr_db is None else snr_db, NOISELESS_DB),)
    source = source or _source_of(codec, k, n)
    case, *_ = make_cases(Request("jammer", (codec,), source, levels, sjr_db=sjr_db, k=k, n=n, modulation=modulation))
    return case.link


def _source_of(codec: str, k: int | None, n: int | None) -> str | None:
    """Bits if a factory makes a codec of bits; whatever is wrong with it is told where it is built in earnest."""
    from jscc_sim.factory import is_factory, load_factory

    if not is_factory(codec):
        return None
    factory, _ = load_factory(codec)
    with suppress(Exception):
        alphabet = getattr(factory(k or 1, n or k or 1), "source_alphabet", None)
        return "bits" if alphabet == "bits" else None
    return None
