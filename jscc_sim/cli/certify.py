"""``jscc-sim certify``: a pair, a codec or an encoder's latents, bounded from both sides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jscc_sim.cli import options
from jscc_sim.cli.progress import progress_bar

if TYPE_CHECKING:
    from jscc_sim.link import Link


@click.command()
@click.option("--pair", type=options.FILE, help="Folder of a pair that jscc-sim play --out saved.")
@click.option("--codec", help="A name as in jscc-sim list, FILE or package.module:factory(k, n)  [linear].")
@click.option("--policy", help="A name, FILE, latents in FILE.npy, or package.module:factory(k)  [gaussian].")
@click.option("--k", type=click.IntRange(1), help="Symbols and uses per word  [1, or that of the files].")
@options.decibels("--snr", "Signal-to-noise ratio in dB  [10, or that of the files].")
@options.decibels("--sjr", "Signal-to-jammer ratio in dB  [0, or that of the files].")
@click.option("--shared", type=click.Choice(["sign", "rotation"]), help="Secret of transmitter and receiver.")
@click.option("--quick", is_flag=True, help="No best responses that learn: they prove nothing, and take seconds.")
@click.option("--seed", type=options.SEED, default=0, show_default=True)
@click.option("--plot", type=options.FILE, help="Draw the jammer's density, the codec and φ(z) − λz² into FILE.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def certify(
    *,
    pair: Path | None,
    codec: str | None,
    policy: str | None,
    k: int | None,
    snr_db: float | None,
    sjr_db: float | None,
    shared: str | None,
    quick: bool,
    seed: int,
    plot: Path | None,
    as_json: bool,
) -> int:
    """Bound what any jammer can do to a codec, and what any codec can do against a jammer.

    For example: jscc-sim certify --pair DIR, or --codec my.module:factory, or --policy latents.npy

    All numbers are in units of J*, the saddle value. U and L are proved, L with its confidence; upper_found and
    lower_found come of searches, and something worse may exist. For latents, L scores how Gaussian they are, against
    the L of as many Gaussian ones that stands beside it. The exit code is 1 if a proved bound is contradicted, which
    would be a bug.
    """
    if pair and (codec or policy):
        raise click.UsageError("--pair brings its own codec and policy: --codec and --policy do not go with it")
    if not (pair or codec or policy):
        raise click.UsageError("nothing to certify: give --pair, --codec or --policy")
    if pair and not pair.exists():
        raise FileNotFoundError(f"no pair at {pair}: name the folder that jscc-sim play --out saved it into")
    options.drawable(plot)
    from jscc_sim.certificates import STAGES
    from jscc_sim.certificates import certify as certify_link
    from jscc_sim.factory import is_factory, said

    link = _link(str(pair) if pair else codec, str(pair) if pair else policy, k, (snr_db, sjr_db), shared)
    with progress_bar("certifying", STAGES, "stages", "stages") as tell:
        try:
            found = certify_link(link, seed=seed, search=not quick, progress=lambda stage: tell(stage, 0, 1))
        except (RuntimeError, TypeError, LookupError, AttributeError) as error:
            if not any(is_factory(name) for name in (codec, policy) if name):
                raise
            raise click.ClickException(f"{codec or policy} failed: {said(error)}") from None
    who = f"codec {pair or codec or 'linear'} against jammer {pair or policy or 'gaussian'}, seed {seed}"
    click.echo(json.dumps(found.record()) if as_json else "\n".join([who, *found.lines()]))
    if plot:
        options.draw(plot, lambda figures: figures.certificate(found))
    return int(found.claim.alarm is not None)


def _link(
    codec: str | None, policy: str | None, k: int | None, levels: tuple[float | None, float | None], shared: str | None
) -> Link:
    """The codec against the policy, as `sweep` has them."""
    from jscc_sim.catalog import Request, is_file, make_cases
    from jscc_sim.catalog.own_policies import is_own_policy

    snr_db, sjr_db = levels
    trained = any(name is not None and is_file(name) for name in (codec, policy))
    if shared and policy is not None and is_own_policy(policy):
        raise ValueError(f"--shared does not go with {policy}: its jammer sees nothing that a secret would hide")
    asked_levels = None if snr_db is None and trained else (10.0 if snr_db is None else snr_db,)
    asked = Request(
        "jammer",
        codecs=(codec or "linear",),
        source="gaussian",
        snr_db=asked_levels,
        policy=policy,
        sjr_db=sjr_db,
        shared=shared,
        k=k,
    )
    case, *_ = make_cases(asked)
    return case.link
