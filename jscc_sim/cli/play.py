"""``jscc-sim play``: a learned jammer against a learned codec."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import click

from jscc_sim.cli import options
from jscc_sim.cli.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TRAINING_SEED = click.IntRange(0, 2**32 - 1)  # torch's generator takes 32 bits: a longer seed would repeat a shorter


@click.command()
@click.option("--k", type=click.IntRange(1, 64), default=1, show_default=True, help="Symbols and uses per word.")
@options.decibels("--snr", "Signal-to-noise ratio in dB.", default=10.0)
@options.decibels("--sjr", "Signal-to-jammer ratio in dB.", default=0.0)
@click.option("--steps", type=click.IntRange(1), default=2500, show_default=True, help="Training steps of each player.")
@click.option("--seed", type=TRAINING_SEED, default=0, show_default=True)
@click.option("--device", default="cpu", show_default=True, help="Where to train: cpu or cuda.")
@click.option("--out", type=options.FILE, help="Save the pair into this folder.")
@click.option("--plot", type=options.FILE, help="Draw the payoff and the jammer's density into FILE.")
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
    options.drawable(plot)
    if out and (out / "play.json").exists():
        raise FileExistsError(f"{out} already holds a pair: choose another folder")
    if out and out.exists() and not out.is_dir():
        raise NotADirectoryError(f"{out} is not a folder to save the pair into")
    from jscc_sim.game import Game, measure, save
    from jscc_sim.game import play as play_game

    with progress_bar("playing", steps, "steps", "steps") as tell:
        played = play_game(Game(k, snr_db, sjr_db, steps, seed), device, lambda step: tell(step - 1, 1, 1))
    result = measure(played) | {"cpu_seconds": round(time.process_time(), 2)}
    if out:
        save(played, result, out)
    if plot:
        options.draw(plot, lambda figures: figures.game(played.ratios, played.jammers))
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
