"""``jscc-sim train bits``: images as words of bits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from jscc_sim.cli import options
from jscc_sim.cli.training import RUN_OPTIONS, Run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import ModuleType

    from matplotlib.figure import Figure

    from jscc_sim.bits import Study
    from jscc_sim.data.parts import Parts

    Result = dict[str, Any]

COLUMNS = "codec                              SSE      ± s.e.    sampled     validation  CPU s"


@click.command()
@click.option("--data", default="mnist", show_default=True, help="A set as in jscc-sim data, or a folder of pictures.")
@click.option("--bits", type=click.IntRange(1), default=100, show_default=True, help="Channel uses per image.")
@click.option("--channel", default="bsc", show_default=True, help="bsc, bec, awgn, bsc-flip or bec-flip.")
@click.option("--at", type=float, help="Its probability of errors or erasures, 0 to 0.5  [0.1], or SNR in dB.")
@click.option("--flips", type=click.IntRange(0), help="For bsc-flip and bec-flip: the adversary's budget per word.")
@click.option(
    "--objective",
    help="straight-through, necst, abf, infomax or iabf; gradient, samples, noise and infomax may differ in brackets, "
    "as in 'iabf(infomax=0.001,samples=3)'  [straight-through, which did best on validation images of MNIST]",
)
@click.option(
    "--preset",
    help="How it learns: quick (3 CPU minutes for MNIST), full (11), paper (15), or conv (13 for CIFAR-10), and three "
    "to four times that by objectives that draw samples  [full; conv for colour images]",
)
@click.option("--epochs", type=click.IntRange(1), help="Passes over the images  [those of the preset].")
@click.option("--net", help="paper, dense or conv  [that of the preset].")
@click.option("--search", is_flag=True, help="Measure with encoder search at the transmitter, too: minutes.")
@options.apply(RUN_OPTIONS)
def bits(
    *,
    data: str,
    bits: int,
    channel: str,
    at: float | None,
    flips: int | None,
    objective: str | None,
    preset: str | None,
    epochs: int | None,
    net: str | None,
    search: bool,
    **run: Any,
) -> int:
    """Train images as words of bits over a binary channel, and measure the error of unseen ones.

    SSE is the squared error summed over an image, its pixels in [0, 1], over ten draws of the channel: with each symbol
    the likelier one, and sampled; s.e. is its standard error over images. The weights are those that did best on
    validation images. An interrupted command goes on with --out DIR as if it had not been interrupted. Its figures are
    of 2,000 images, sent twice.

    The codec, which sends the likelier symbols, can be swept: jscc-sim sweep --codec DIR/... --channel bsc --at
    0:0.5:0.05 has the error per pixel, mse, which is SSE over the number of pixels.
    """
    asked = Run(**run)
    asked.check()
    from dataclasses import replace

    from jscc_sim.bits import BEST, PRESETS, Study, finish
    from jscc_sim.data.parts import load_parts
    from jscc_sim.image_metrics import shape_of
    from jscc_sim.spelling import known

    if preset is not None:
        known("preset", preset, PRESETS)
    if at is None and channel == "awgn":
        raise click.UsageError("channel awgn takes --at, its SNR in dB")
    parts = load_parts(data)
    recipe = PRESETS[preset or ("conv" if shape_of(parts.train.images)[0] > 1 else "full")]
    recipe = replace(recipe, epochs=epochs or recipe.epochs, net=net or recipe.net)
    study = Study(
        data=data,
        bits=bits,
        channel=channel,
        at=Study.at if at is None else at,
        flips=flips,
        objective=objective or BEST,
        recipe=recipe,
        images=asked.images,
        judged_images=asked.judged_images,
        search=search,
    )
    study.check(parts)
    studies = [replace(study, seed=seed) for seed in asked.in_a_row]
    results = asked.results("train bits", studies, parts, finish)
    if not asked.as_json:
        click.echo(_table(results))
    if asked.out:
        _draw(studies[0], results, parts, asked.out)
    return 0


def _table(results: Sequence[Mapping[str, Any]]) -> str:
    """A line per seed."""
    black = "test_nats" in results[0]
    lines = [COLUMNS + ("  nats/pixel" if black else "") + ("   searched" if "test_sse_searched" in results[0] else "")]
    for result in results:
        name = f"{result['objective']}, seed {result['seed']}"
        line = f"{name:<33}  {result['test_sse']:<7.3f}  {result['test_sse_error']:<8.3f}  "
        line += f"{result['test_sse_sampled']:<10.3f}  {result['valid_sse']:<10.3f}  {result['cpu_seconds']:<6.0f}"
        line += f"  {result['test_nats']:<10.4f}" if black else ""
        line += f"  {result['test_sse_searched']:.3f}" if "test_sse_searched" in result else ""
        lines.append(line.rstrip())
    return "\n".join(lines)


def _draw(study: Study, results: Sequence[Result], parts: Parts, out: Path) -> None:
    """Draw figures into the first codec's folder: what it does, and how all of them learned."""
    from jscc_sim.bits import exhibit
    from jscc_sim.plot.sweeps import KNOBS

    shown = exhibit(study, out / study.name, parts)
    knob = KNOBS[study.link.knob]
    name = f"{study.objective}, trained at {study.at:g}" + " dB" * (study.channel == "awgn")
    flips = "" if study.flips is None else f", {study.flips} flips"
    title = f"{study.data}, {study.bits} bits, {study.channel}{flips}, seed {study.seed}"
    unit = f"{'nats' if 'test_nats' in results[0] else 'SSE'} of an image"
    figures: dict[str, Callable[[ModuleType], Figure]] = {
        "distortion": lambda plot: plot.distortion_curves(
            {name: shown.measured}, shown.limits, shown.published, knob=knob, unit=shown.unit, title=title
        ),
        "reconstructions": lambda plot: plot.received_images(shown.originals, shown.reconstructions, knob),
        "marginals": lambda plot: plot.marginals({name: shown.ones}),
        "chain": lambda plot: plot.chained_images(shown.originals[: len(shown.chained[1])], shown.chained),
        "curves": lambda plot: plot.learning({name: [result["curve"] for result in results]}, unit),
    }
    for file, figure in figures.items():
        options.draw(out / study.name / f"{file}.png", figure)
