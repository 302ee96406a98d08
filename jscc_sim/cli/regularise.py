"""``jscc-sim regularise``: methods of shaping latents, trained side by side and measured on unseen images."""

from __future__ import annotations

import json
import math
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from jscc_sim.cli import options
from jscc_sim.cli.progress import progress_bar
from jscc_sim.cli.workers import workers_or_cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Executor
    from pathlib import Path
    from types import ModuleType

    from matplotlib.figure import Figure

    from jscc_sim.autoencoders import Epoch
    from jscc_sim.cli.progress import Tell
    from jscc_sim.data.parts import Parts
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
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Models at a time.")
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
    workers: int,
    out: Path | None,
    as_json: bool,
) -> int:
    """Train one autoencoder with each method of shaping its latents, and measure what each is worth.

    All share architecture, images, schedule and seeds. MSE/value is of reconstructions, FD of images decoded from
    draws of the prior; KS, HZ, energy and DPC say how Gaussian the latents are, beside a Gaussian sample's values. An
    interrupted command goes on with --out DIR as if it had not been interrupted.

    Latents are a jammer's signal, too: jscc-sim certify --policy DIR/jamming-0/latents.npy
    """
    options.folder(out)
    in_a_row = options.seeds_from(seed, seeds)
    from jscc_sim.autoencoders import Schedule
    from jscc_sim.data.parts import load_parts
    from jscc_sim.image_metrics import shape_of
    from jscc_sim.precision import gains_from_bf16
    from jscc_sim.regularise import Study, default_extractor, table
    from jscc_sim.seeds import check_device

    check_device(device)
    if bf16 and not gains_from_bf16(device):
        click.echo("Warning: this machine is slower in bfloat16 than in float32: leave --bf16 out", err=True)
    chosen = _chosen(methods, family, extractor, prior)
    parts = load_parts(data)
    extractor = extractor or default_extractor(shape_of(parts.train.images))
    schedule, few = Schedule(epochs, batch, bf16=bf16), (images, judged_images)
    studies = [
        Study(data, name, k, family, schedule, own, *few, split, extractor, prior)
        for name in chosen
        for own in in_a_row
    ]
    for study in studies:
        study.check(parts)
    results: list[Result] = []
    with workers_or_cluster(workers, None) as pool:
        for result in _results(studies, parts, out, device, pool):
            results.append(result)
            if as_json:
                click.echo(json.dumps({name: value for name, value in result.items() if name != "curve"}))
    if not as_json:
        click.echo(table(results))
    if out:
        _draw(studies, results, parts, out)
    return 0


def _chosen(methods: str, family: str, extractor: str | None, prior: str) -> list[str]:
    """The names between the commas, once each; ValueError with a suggestion if one is not known."""
    from jscc_sim.autoencoders import FAMILIES
    from jscc_sim.image_metrics import EXTRACTORS
    from jscc_sim.regularise import split_methods
    from jscc_sim.regularisers.priors import PRIORS
    from jscc_sim.spelling import known

    chosen = split_methods(methods)
    known("prior", prior, PRIORS)
    known("family", family, FAMILIES)
    if extractor is not None:
        known("extractor", extractor, EXTRACTORS)
    return [str(method) for method in chosen]


def _results(
    studies: Sequence[Study], parts: Parts, out: Path | None, device: str, pool: Executor | None
) -> Iterator[Result]:
    """What the studies came to, in their order: from their folders if they are finished there, else conducted now."""
    from jscc_sim.regularise import finish_by_name, recall

    folders = [out / study.name if out else None for study in studies]
    known = [recall(study, folder) if folder else None for study, folder in zip(studies, folders, strict=True)]
    left = [index for index, result in enumerate(known) if result is None]
    with progress_bar("regularise", len(studies), "models", "models") as tell:
        conducted: Iterator[Result]
        if pool:
            jobs = [pool.submit(finish_by_name, studies[index], folders[index], device=device) for index in left]
            conducted = (job.result() for job in jobs)
        else:
            conducted = _here(left, studies, folders, parts, device, tell)
        for index, (folder, result) in enumerate(zip(folders, known, strict=True)):
            tell(index, 0, 1)
            try:
                yield next(conducted) if result is None else result
            except KeyboardInterrupt:
                begun = folder is not None and folder.exists()
                kept = f"the same command goes on from the last epoch in {folder}" if begun else "nothing is kept of it"
                click.echo(f"{kept}.", err=True)
                raise


def _here(
    left: Sequence[int],
    studies: Sequence[Study],
    folders: Sequence[Path | None],
    parts: Parts,
    device: str,
    tell: Tell,
) -> Iterator[Result]:
    """Those studies one after the other, telling of each epoch."""
    from jscc_sim.image_metrics import Reference
    from jscc_sim.regularise import finish

    if left:
        first = studies[left[0]]
        tell(left[0], 0, 1, f"{first.split} images in the features of {first.extractor}")
        reference = Reference(first.judged(parts).images, first.extractor)
    for index in left:
        hear = partial(_hear, studies[index], partial(tell, index))
        yield finish(studies[index], parts, reference, folders[index], device=device, hear=hear)


def _hear(study: Study, tell: Callable[[int, int, str], None], epoch: Epoch) -> None:
    """Move the bar; the measurements take about as long as an epoch."""
    done, planned = round(1000 * epoch.number), 1000 * (study.schedule.epochs + 1)
    stage = "measuring" if epoch.number == study.schedule.epochs else f"epoch {math.ceil(epoch.number)}"
    tell(done, planned, f"{study.name}, {stage}: MSE {epoch.mse:.5f}")


def _draw(studies: Sequence[Study], results: Sequence[Result], parts: Parts, out: Path) -> None:
    """Draw the figures: what each method's first model does, and how all of them learned."""
    from jscc_sim.plot.autoencoders import SHOWN_LATENTS
    from jscc_sim.regularise import MIXTURES, Method, by_weight, exhibit
    from jscc_sim.regularisers.priors import PRIORS
    from jscc_sim.seeds import seeded

    judged = studies[0].judged(parts)
    first = {study.method: study.name for study in reversed(studies)}
    shown = {method: exhibit(out / first[method], judged.images) for method in dict.fromkeys(s.method for s in studies)}
    one_of = f"seed {studies[0].seed}: " if len({study.seed for study in studies}) > 1 else ""
    errors = {method: f"{method}, {one_of}MSE {found.result['mse']:.4f}" for method, found in shown.items()}
    own = {name: f"{name}, draws of its own" for name in shown if Method.parse(name).name in MIXTURES}
    distances = {name: f"{own.get(name, name)}, {one_of}FD {found.result['fd']:.4g}" for name, found in shown.items()}
    learned = {method: [one["curve"] for one in results if one["method"] == method] for method in shown}
    drawn = None
    if studies[0].prior != "gaussian":
        with seeded(0):
            drawn = PRIORS[studies[0].prior]().sample(SHOWN_LATENTS, studies[0].k).numpy()
    originals = next(iter(shown.values())).originals
    figures: dict[str, Callable[[ModuleType], Figure]] = {
        "latents": lambda plot: plot.latents({m: x.latents for m, x in shown.items()}, judged.labels, drawn),
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
