"""A study conducted: trained, and measured on images that it has not seen."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from scipy.stats import ks_2samp
from torch import Tensor, nn

from jscc_sim.autoencoders import Autoencoder, Epoch, Training
from jscc_sim.autoencoders.training import Hear
from jscc_sim.certificates import posterior_policy
from jscc_sim.certificates.latents import EncoderPolicy, LatentPolicy
from jscc_sim.data.parts import Parts
from jscc_sim.epochs import unheard
from jscc_sim.gaussianity.statistics import ks
from jscc_sim.image_metrics import Reference, perceptual_distance, planes, shape_of
from jscc_sim.nets import Shape
from jscc_sim.regularise.methods import MIXTURES, Method
from jscc_sim.regularise.study import Study
from jscc_sim.regularisers import ExPostMixture
from jscc_sim.regularisers.priors import PRIORS
from jscc_sim.seeds import seeded

# Images at a time in evaluation.
SHOWN = 1000
# Of a mixture, as in its paper.
COMPONENTS = 10
# So many reconstructions are compared stage by stage.
COMPARED = 256
# A prior's law is known from so many draws.
DRAWS = 1_000_000


@dataclass(frozen=True, eq=False)
class Studied:
    """The trained model, its epochs, and what was measured.

    ``latents`` are those of the images it was judged by, for a VAE drawn around their means; ``drawn`` those whose
    images were measured against them; both before the prior's map.
    """

    study: Study
    model: Autoencoder
    epochs: list[Epoch]
    latents: Tensor
    drawn: Tensor
    result: dict[str, Any]
    shape: Shape


def conduct(
    study: Study,
    parts: Parts,
    reference: Reference,
    *,
    device: str = "cpu",
    saved: Path | None = None,
    hear: Hear = unheard,
) -> Studied:
    """Train, then measure on the study's judged images, beside which ``reference`` measures as many generated ones.

    With ``saved``, training goes on from the checkpoint there, if one is, and leaves one after each epoch; ``hear`` is
    told of the progress.
    """
    study.check(parts)
    images, judged = study.train(parts), planes(study.judged(parts).images)
    with seeded(study.seed, device):
        model = study.model(shape_of(parts.train.images)).to(device)
        training = Training(model, images.to(device), study.schedule, study.describe())
        if not study.warms_itself:  # lest a short training end before its penalty has risen
            model.reg.warmup = min(model.reg.warmup, training.steps // 2)
        for _ in training.run(saved, hear):
            pass
    model.cpu()
    with seeded(study.seed):
        latents, seen = drawn_latents(model, judged), drawn_latents(model, images[: len(judged)])
        described = Method.parse(study.method).name in MIXTURES
        drawn = _density(seen).sample(len(judged)) if described else torch.randn_like(latents)
        found = _distances(model, drawn, seen, reference) | _from_prior(study.prior, latents, seen)
        again = reconstructed(model, judged)
        if reference.extractor.stages:
            apart = perceptual_distance(judged[:COMPARED], again[:COMPARED], reference.extractor)
            found[f"perceptual_{reference.extractor.name}"] = apart
    result = {
        **study.describe(),
        "mse": float((again - judged).square().mean()),
        "ks_train": ks(seen.double().numpy()),
        **found,
        **model.reg.metrics(latents),
        "warmup_used": model.reg.warmup,
        "weight_found": model.reg.found_weight,
        "judged": len(judged),
        "seconds_per_epoch": round(training.seconds / study.schedule.epochs, 2),
    }
    return Studied(study, model, training.epochs, latents, drawn, result, shape_of(parts.train.images))


def _distances(model: Autoencoder, drawn: Tensor, seen: Tensor, reference: Reference) -> dict[str, float]:
    """Distances of the images of latents that were ``drawn``, of as many from a Gaussian fitted to those ``seen``, and
    of reconstructions, whose latents match perfectly: what the decoder adds to the distance by itself.

    ``fd`` is the Fréchet distance whatever the extractor, for tables of one extractor.
    """
    sets = {"": drawn, "_fitted": ExPostMixture(1).fit(seen).sample(len(drawn)), "_reconstructed": seen}
    distances = {kind: reference.distances(generated(model, latents)) for kind, latents in sets.items()}
    frechet = reference.extractor.frechet
    short = {f"fd{kind}": found[frechet] for kind, found in distances.items()}
    return short | {f"{name}{kind}": value for kind, found in distances.items() for name, value in found.items()}


def _from_prior(name: str, latents: Tensor, seen: Tensor) -> dict[str, float]:
    """The largest Kolmogorov-Smirnov distance of any latent, as the decoder sees it, from the prior's; and of a draw.

    ``_train`` is of latents of images that were ``seen`` in training, where the encoder is without the shift between
    the two sets of images. Where the prior's coordinates depend on each other, only their marginals are compared.
    """
    if name == "gaussian":  # these are among the metrics
        return {}
    prior = PRIORS[name]()
    law = prior.sample(DRAWS, prior.width)

    def farthest(z: Tensor) -> float:
        columns = enumerate(z.T.numpy())
        return float(max(ks_2samp(column, law[:, index % prior.width].numpy()).statistic for index, column in columns))

    return {
        "ks_prior": farthest(prior.from_gaussian(latents)),
        "ks_prior_train": farthest(prior.from_gaussian(seen)),
        "ks_prior_null": farthest(prior.sample(*latents.shape)),
    }


def _density(seen: Tensor) -> ExPostMixture:
    """What describes the latents of a plain autoencoder."""
    return ExPostMixture(min(COMPONENTS, len(seen))).fit(seen)


def drawn_latents(model: Autoencoder, images: Tensor) -> Tensor:
    """The latents ``(count, k)`` of images ``(count, channels, height, width)``; of a VAE, draws around the means."""
    return _in_parts(model.drawn, images)


def means(model: Autoencoder, images: Tensor) -> Tensor:
    """The latents ``(count, k)`` of images ``(count, channels, height, width)``; of a VAE, the means."""
    return _in_parts(model.latents, images)


def reconstructed(model: Autoencoder, images: Tensor) -> Tensor:
    """The images ``(count, channels, height, width)`` that come out again; of a VAE, from the means."""
    return generated(model, means(model, images))


def generated(model: Autoencoder, z: Tensor) -> Tensor:
    """The images ``(count, channels, height, width)`` that latents ``(count, k)`` are decoded to."""
    return _in_parts(model.decoder, z)


@torch.no_grad()
def _in_parts(of: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """``of(x)``, so many at a time as memory is sure to hold."""
    return torch.cat([of(part) for part in x.split(SHOWN)])


class _Encoder(nn.Module):
    """An autoencoder up to its latents."""

    def __init__(self, model: Autoencoder) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        return self.model.latents(images)


def encoder_policy(model: Autoencoder, images: Tensor) -> LatentPolicy | EncoderPolicy:
    """A jammer's policy whose signals are the latents of these images: `sweep` and `certify` take it."""
    return posterior_policy(_Encoder(model.eval()), images)
