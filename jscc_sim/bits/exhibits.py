"""What the figures show of a trained codec of bits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import entr

from channels import from_decibels
from jscc_sim.bits.chain import chain
from jscc_sim.bits.distortion import distortion, received, words
from jscc_sim.bits.folder import load_binary
from jscc_sim.bits.study import Study
from jscc_sim.codec_training import flat
from jscc_sim.data.parts import Part, Parts
from jscc_sim.seeds import seeded
from jscc_sim.theory.binary_limits import antipodal_capacity, bec_capacity, bsc_capacity
from jscc_sim.theory.image_codes import PAPER, mean_image
from jscc_sim.theory.limits import gaussian_distortion

# Of a channel, by its knob: where the error is measured, and at which levels images are shown.
PROBABILITIES = tuple(round(0.05 * step, 2) for step in range(11)), (0.0, 0.1, 0.2, 0.4)
LEVELS = {
    "flip": PROBABILITIES,
    "erase": PROBABILITIES,
    "snr_db": (tuple(float(level) for level in range(-8, 13, 2)), (8.0, 4.0, 0.0, -4.0)),
}
# Bits per use, by the same.
CAPACITIES: dict[str, Callable[[float], NDArray[np.float64]]] = {
    "flip": bsc_capacity,
    "erase": bec_capacity,
    "snr_db": lambda level: antipodal_capacity(from_decibels(level)),
}
SHOWN, CHAINED, JUDGED = 16, 12, 2000
STEPS = (1, 2, 5, 20, 100)
# Points of a line of theory.
FINE = 101
SSE, NATS = "SSE: squared error summed over an image's pixels in [0, 1]", "cross-entropy in nats per pixel"
# It is no bound for images, which are not Gaussian.
GAUSSIAN = "a Gaussian source of the images' covariance, at capacity"

Pictures = NDArray[np.float32]
Lines = dict[str, list[tuple[float, float]]]


@dataclass(frozen=True, eq=False)
class Exhibit:
    """Curves of errors in ``unit`` over the channel's knob, and pictures ``(count, height, width, channels)``.

    ``measured`` is over channels that the codec did not learn for, too; ``limits`` are lines to hold it against,
    ``published`` points of the papers. ``reconstructions`` are by level, ``chained`` by step; ``ones`` is the share of
    images whose symbol is −1, for each symbol.
    """

    unit: str
    measured: list[tuple[float, float]]
    limits: Lines
    published: Lines
    originals: Pictures
    reconstructions: dict[float, Pictures]
    ones: NDArray[np.float64]
    chained: dict[int, Pictures]


def exhibit(study: Study, folder: Path, parts: Parts) -> Exhibit:
    """What the figures show of the study that was saved into a folder."""
    codec, images = load_binary(folder), study.judged(parts.test)
    shape = parts.test.images.shape[1:]
    few, at, (levels, shown) = images[:SHOWN], study.link.at, LEVELS[study.link.knob]

    def pictures(found: torch.Tensor) -> Pictures:
        return found.clamp(0, 1).numpy().reshape(len(found), shape[0], shape[1], -1)

    with seeded(study.seed), torch.no_grad():
        reconstructed = {
            level: pictures(codec.decode(received(codec, at(level), few, codec.encode(few)), at(level).nominal))
            for level in shown
        }
        ones = (words(codec, images) < 0).double().mean(0).numpy()
        steps = dict(enumerate(islice(chain(codec, study.link.nominal, images[:CHAINED]), max(STEPS)), start=1))
    black, judged = codec.pixels == "bernoulli", images[:JUDGED]
    errors = [distortion(codec, at(level), judged, draws=2, squared=not black).mean for level in levels]
    return Exhibit(
        NATS if black else SSE,
        [(level, error / (codec.k if black else 1)) for level, error in zip(levels, errors, strict=True)],
        limits_in_nats(parts.train, levels) if black else limits(study, parts.train, finely(levels)),
        published(study),
        pictures(few),
        reconstructed,
        ones,
        {step: pictures(steps[step]) for step in STEPS},
    )


def finely(levels: Sequence[float]) -> list[float]:
    """Closely spaced ones from the first to the last."""
    return np.linspace(levels[0], levels[-1], FINE).tolist()


def limits_in_nats(train: Part, levels: Sequence[float]) -> Lines:
    """The mean image's cross-entropy per pixel, where images are black and white."""
    mean = train.images.mean(0, dtype=float) / 255
    return {"mean image": [(level, float((entr(mean) + entr(1 - mean)).mean())) for level in levels]}


def limits(study: Study, train: Part, levels: Sequence[float]) -> Lines:
    """The mean image's error, and a Gaussian source's of training images' covariance at nature's capacity."""
    variances = np.linalg.eigvalsh(np.cov(flat(train).double().numpy(), rowvar=False, bias=True)).clip(0)
    capacity = CAPACITIES[study.link.knob]
    least = gaussian_distortion(variances, [study.bits * float(capacity(level)) for level in levels])
    return {
        "mean image": [(level, mean_image(variances)) for level in levels],
        GAUSSIAN: list(zip(levels, least.tolist(), strict=True)),
    }


def published(study: Study) -> Lines:
    """The papers' points for so many bits of the set over a BSC, of black-and-white images in nats per pixel."""
    if study.channel != "bsc":
        return {}
    return {name: [*points.items()] for name, points in PAPER.get(study.data, {}).get(study.bits, {}).items()}
