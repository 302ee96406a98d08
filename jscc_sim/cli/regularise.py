"""``jscc-sim regularise``: methods of shaping latents, trained side by side and measured on unseen images."""

from __future__ import annotations

import json
import math
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from jscc_sim.cli import options
from jscc_sim.cli.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import ModuleType

    from matplotlib.figure import Figure

    from jscc_sim.autoencoders import Epoch
    from jscc_sim.data.parts import Parts
    from jscc_sim.image_metrics import Reference
    from jscc_sim.regularise import Study

    Result = dict[str, Any]

COMPARED = "jamming,vae,wae,aae,sliced,none"


@click.command()
@click.option("--data", default="mnist", show_default=True, help="A set as in jscc-sim data, or a folder of pictures.")
@click.option(
    "--methods",
    default=COMPARED,
    show_default=True,
    help="Separated by commas; mixture, sinkhorn, … too, and with options, such as 'jamming(weight=0.05,hidden=128)'.",
)
@click.option("--k", type=click.IntRange(1), default=8, show_default=True, help="Latents per image.")
@click.option("--family", default="mlp", show_default=True, help="Architecture of all: mlp or conv (DCGAN-like).")
@click.option("--epochs", type=click.IntRange(1), default=12, show_default=True)
@click.option("--batch", type=click.IntRange(2), default=256, show_default=True, help="Images per step.")
@click.option("--prior", default="gaussian", show_default=True, help="What the decoder sees: uniform, laplace, ring, …")
@click.option("--bf16", is_flag=True, help="Nets compute in bfloat16: faster for conv, where the processor can.")
@click.option("--seed", type=options.FIRST_SEED, default=0, show_default=True, help="The first seed.")
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="How many, in a row.")
@click.option(
    "--split",
    type=click.Choice(["test", "validation"]),
    default="test",
    show_default=True,
    help="What all are judged by; choose hyper-parameters on validation.",
)
@click.option("--extractor", help="Features of FD: mnist_cnn, lite0 or fid_inception  [mnist_cnn; lite0 for colour].")
@click.option("--images", type=click.IntRange(1), help="Learn from at most so many images, for quick tries.")
@click.option("--judged-images", type=click.IntRange(1), help="Be judged by at most so many.")
@click.option("--device", default="cpu", show_default=True, help="Where to train: cpu or cuda.")
@click.option("--out", type=options.FILE, help="Keep models, results and figures here; what is there is not repeated.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per method and seed instead of a table.")
def regularise(
    *,
    data: str,
    methods: str,
    k: int,
    family: str,
    epochs: int,
    batch: int,
    prior: str,
    bf16: bool,
    seed: int,
    seeds: int,
    split: str,
    extractor: str | None,
    images: int | None,
    judged_images: int | None,
    device: str,
    out: Path | None,
    as_json: bool,
) -> int:
    """Train one autoencoder with each method of shaping its latents, and measure what each is worth.

    All share architecture, images, schedule and seeds. MSE/value is of reconstructions, FD of images decoded from
    draws of the prior; KS, HZ, energy and DPC say how Gaussian the latents are, beside a Gaussian sample's values. An
    interrupted command goes on with --out DIR as if it had not been interrupted.

    Latents are a jammer's signal, too: jscc-sim certify --policy DIR/jamming-0/latents.npy
    """
    if out and out.exists() and not out.is_dir():
        raise NotADirectoryError(f"{out} is not a folder to save the models into")
    in_a_row = options.seeds_from(seed, seeds)
    from jscc_sim.data.parts import load_parts
    from jscc_sim.regularise import Schedule, Study, default_extractor, shape_of, table
    from jscc_sim.seeds import check_device

    check_device(device)
    chosen = _chosen(methods, family, extractor, prior)
    parts = load_parts(data)
    extractor = extractor or default_extractor(shape_of(parts.train.images))
    schedule, few = Schedule(epochs, batch, bf16=bf16), (images, judged_images)
    studies = [
        Study(data, name, k, family, schedule, own, *few, split, extractor, prior)
        for name in chosen
        for own in in_a_row
    ]
    results = _results(studies, parts, out, device, as_json=as_json)
    if not as_json:
        click.echo(table(results))
    if out:
        _draw(studies, results, parts, out)
    return 0


def _chosen(methods: str, family: str, extractor: str | None, prior: str) -> list[str]:
    """The names between the commas, once each; ValueError with a suggestion if one is not known."""
    from jscc_sim.image_metrics import EXTRACTORS
    from jscc_sim.regularise import FAMILIES, split_methods
    from jscc_sim.regularisers.priors import PRIORS
    from jscc_sim.spelling import known

    chosen = split_methods(methods)
    known("prior", prior, PRIORS)
    known("family", family, FAMILIES)
    if extractor is not None:
        known("extractor", extractor, EXTRACTORS)
    return [str(method) for method in chosen]


def _results(studies: Sequence[Study], parts: Parts, out: Path | None, device: str, *, as_json: bool) -> list[Result]:
    """What the studies came to: from their folders if they are finished there, else from conducting them."""
    from jscc_sim.regularise import Reference, recall

    for study in studies:
        study.check(parts)
    known = [recall(study, out / study.name) if out else None for study in studies]
    reference: Reference | None = None
    results: list[Result] = []
    with progress_bar("regularise", len(studies), "models", "models") as tell:
        for index, (study, result) in enumerate(zip(studies, known, strict=True)):
            if result is None:
                if reference is None:
                    tell(index, 0, 1, f"{study.split} images in the features of {study.extractor}")
                    reference = Reference(study.judged(parts).images, study.extractor)
                result = _conducted(study, parts, reference, out, device, partial(tell, index))
            results.append(result)
            if as_json:
                click.echo(json.dumps({name: value for name, value in result.items() if name != "curve"}))
    return results


def _conducted(
    study: Study,
    parts: Parts,
    reference: Reference,
    out: Path | None,
    device: str,
    tell: Callable[[int, int, str], None],
) -> Result:
    """Train and measure a study, and save it if there is a folder."""
    from jscc_sim.regularise import TRAINING, conduct, save

    folder = out / study.name if out else None

    def hear(epoch: Epoch) -> None:
        # The measurements take about as long as an epoch.
        done, planned = round(1000 * epoch.number), 1000 * (study.schedule.epochs + 1)
        stage = "measuring" if epoch.number == study.schedule.epochs else f"epoch {math.ceil(epoch.number)}"
        tell(done, planned, f"{study.name}, {stage}: MSE {epoch.mse:.5f}")

    try:
        studied = conduct(study, parts, reference, device=device, saved=folder and folder / TRAINING, hear=hear)
    except KeyboardInterrupt:
        kept = f"the same command goes on from the last epoch in {folder}" if folder else "nothing is kept"
        click.echo(f"{kept}.", err=True)
        raise
    return save(studied, folder) if folder else studied.result


def _draw(studies: Sequence[Study], results: Sequence[Result], parts: Parts, out: Path) -> None:
    """Draw the figures: what each method's first model does, and how all of them learned."""
    from jscc_sim.regularise import by_weight, exhibit

    judged = studies[0].judged(parts)
    first = {study.method: study.name for study in reversed(studies)}
    shown = {method: exhibit(out / first[method], judged.images) for method in dict.fromkeys(s.method for s in studies)}
    errors = {method: f"{method}, MSE {found.result['mse']:.4f}" for method, found in shown.items()}
    own = {"mixture": "mixture, from draws of its own"}
    distances = {name: f"{own.get(name, name)}, FD {found.result['fd']:.4g}" for name, found in shown.items()}
    learned = {method: [one["curve"] for one in results if one["method"] == method] for method in shown}
    originals = next(iter(shown.values())).originals
    figures: dict[str, Callable[[ModuleType], Figure]] = {
        "latents": lambda plot: plot.latents({m: x.latents for m, x in shown.items()}, judged.labels),
        "samples": lambda plot: plot.samples({distances[m]: x.samples for m, x in shown.items()}),
        "reconstructions": lambda plot: plot.reconstructions(
            originals, {errors[m]: x.reconstructions for m, x in shown.items()}
        ),
        "interpolations": lambda plot: plot.interpolations({m: (x.ends, x.interpolated) for m, x in shown.items()}),
        "trade-off": lambda plot: plot.trade_off(by_weight(results)),
        "curves": lambda plot: plot.training(learned),
    }
    for name, figure in figures.items():
        options.draw(out / f"{name}.png", figure)
