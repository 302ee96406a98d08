"""``jscc-sim play``: a learned jammer against a learned codec, certified from both sides."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import click

from jscc_sim.cli import options
from jscc_sim.cli.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from jscc_sim.game import Game, Played
    from jscc_sim.train import Step

# The live payoff is a mean over about so many steps.
WINDOW = 100
COLUMNS = "seed   payoff/J*  95 % interval       L        U        L found  U found  KS      CPU s  saddle point"
SEEING = "The jammer sees signal or source: U bounds those that do not, and no saddle point is proved."


@click.command()
@click.option("--k", type=click.IntRange(1, 64), default=1, show_default=True, help="Symbols and uses per word.")
@options.decibels("--snr", "Signal-to-noise ratio in dB.", default=10.0)
@options.decibels("--sjr", "Signal-to-jammer ratio in dB.", default=0.0)
@click.option(
    "--codec",
    type=click.Choice(["per-symbol", "vector", "free"]),
    default="per-symbol",
    show_default=True,
    help="One for all symbols, or nets for whole words, tail-safe or free.",
)
@click.option(
    "--policy",
    type=click.Choice(["per-symbol", "vector", "tap", "source"]),
    help="What the jammer is and sees  [as the codec: per-symbol or vector].",
)
@click.option("--tap-noise", type=click.FloatRange(0), default=0.0, help="Power of the noise on a tap.")
@click.option("--shared", type=click.Choice(["sign", "rotation"]), help="Secret of transmitter and receiver.")
@click.option("--recipe", help="How they learn: averaged, words or plain  [averaged; words for nets of words].")
@click.option("--steps", type=click.IntRange(1), help="Training steps  [those of the recipe].")
@click.option("--seed", type=options.FIRST_SEED, default=0, show_default=True, help="The first seed.")
@click.option(
    "--seeds", type=click.IntRange(1), default=1, show_default=True, help="How many games, of seeds in a row."
)
@click.option("--device", default="cpu", show_default=True, help="Where to train: cpu or cuda.")
@click.option("--quick", is_flag=True, help="No best responses that learn: they prove nothing, and take seconds.")
@click.option("--out", type=options.FILE, help="Keep pairs and results in this folder; what is there is not repeated.")
@click.option("--plot", type=options.FILE, help="Draw the payoff and jammer of the first game played into FILE.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per seed instead of a table.")
def play(
    *,
    k: int,
    snr_db: float,
    sjr_db: float,
    codec: str,
    policy: str | None,
    tap_noise: float,
    shared: str | None,
    recipe: str | None,
    steps: int | None,
    seed: int,
    seeds: int,
    device: str,
    quick: bool,
    out: Path | None,
    plot: Path | None,
    as_json: bool,
) -> int:
    """Play a learned jammer against a learned codec, from a two-point start, and certify how near they are to J*.

    J* is the exact value of the Gaussian jamming game; all results are in units of it. U is what no jammer of that
    power exceeds, L what no codec undercuts, where they are proved; KS is the Kolmogorov-Smirnov distance of the
    jammer's signal to the Gaussian. An interrupted command goes on with --out DIR as if it had not been interrupted.
    The exit code is 1 if a game is proved not to be at its saddle point.
    """
    options.drawable(plot)
    options.folder(out)
    from dataclasses import replace

    from jscc_sim.game import Game
    from jscc_sim.spelling import known
    from jscc_sim.train import RECIPES

    recipe = recipe or ("averaged" if codec == "per-symbol" else "words")
    known("recipe", recipe, RECIPES)
    how = replace(RECIPES[recipe], steps=steps or RECIPES[recipe].steps)
    in_a_row = options.seeds_from(seed, seeds)
    policy = policy or ("per-symbol" if codec == "per-symbol" else "vector")
    if tap_noise and policy != "tap":
        raise ValueError(f"--tap-noise means nothing to policy {policy!r}: use --policy tap")
    games = [Game(k, snr_db, sjr_db, codec, policy, tap_noise, shared, how, own) for own in in_a_row]
    results, first = [], None
    for game in games:
        folder = out / f"seed-{game.seed}" if out and seeds > 1 else out
        result, played = _result(game, folder, device, search=not quick)
        results.append(result)
        first = first or played
        if as_json:
            click.echo(json.dumps(result))
    if plot and first:
        options.draw(plot, lambda figures: figures.game(first.ratios, first.jammers))
    elif plot:
        click.echo(f"no figure: all was played before; jscc-sim certify --pair {out} --plot draws the pair", err=True)
    if not as_json:
        click.echo(_table(results))
    return int(any(result["verdict"] == "disagrees" for result in results))


def _result(
    game: Game, folder: Path | None, device: str, *, search: bool
) -> tuple[Mapping[str, object], Played | None]:
    """What a game came to: from its folder if it is finished there, else from playing it."""
    from jscc_sim.game import describe, measure, recall, save, save_result, saved_link
    from jscc_sim.game import play as play_game

    start, total = time.process_time(), game.recipe.steps
    if folder and (known := recall(game, folder)):
        if search and not known["searched"]:  # played with --quick
            spent = float(str(known["cpu_seconds"]))
            known |= measure(game, saved_link(game, folder))
            known["cpu_seconds"] = round(spent + time.process_time() - start, 2)
            save_result(known, folder)
        return known, None
    mean = 1.0

    def heard(step: Step) -> None:
        nonlocal mean
        mean += (step.payoff - mean) / min(step.number, WINDOW)
        tell(step.number, 0, 1, f"payoff/J* {mean:.3f}")

    with progress_bar(f"seed {game.seed}", total, "steps", "steps") as tell:
        try:
            played = play_game(game, device, saved=folder / "training" if folder else None, progress=heard)
        except KeyboardInterrupt:
            there = folder is not None and (folder / "training.json").exists()
            kept = (
                f"The same command goes on from the last checkpoint in {folder}." if there else "Nothing was kept yet."
            )
            click.echo(kept, err=True)
            raise
    result = {**describe(game), **measure(game, played.link, search=search)}
    result["cpu_seconds"] = round(played.earlier + time.process_time() - start, 2)
    return save(played, result, folder) if folder else result, played


def _table(results: Sequence[Mapping[str, object]]) -> str:
    """A line per seed, and what the columns mean where the jammer sees signal or source."""
    seeing = [] if all(result["oblivious"] for result in results) else [SEEING]
    return "\n".join([COLUMNS, *map(_line, results), *seeing])


def _line(result: Mapping[str, object]) -> str:
    """The result of a game under `COLUMNS`."""
    shown = {
        name: f"{value:.5f}" if isinstance(value := result[name], float) else "–"
        for name in ("payoff_ratio", "lower", "upper", "lower_found", "upper_found", "ks")
    }
    agrees = "yes" if result["oblivious"] else "payoff alone"
    saddle = {"agrees": agrees, "disagrees": "no"}.get(str(result["verdict"]), "undecided")
    failing = [name.removeprefix("claim_") for name, holds in result.items() if name[:6] == "claim_" and not holds]
    saddle += f" ({', '.join(failing)})" if failing and result["verdict"] != "agrees" else ""
    bounds = "{lower:<8} {upper:<8} {lower_found:<8} {upper_found:<8} {ks:<7.6} {cpu_seconds:<6} {saddle}"
    template = "{seed:<6} {payoff_ratio:<10} [{low:.4f}, {high:.4f}]  " + bounds
    return template.format(**{**result, **shown}, saddle=saddle)
