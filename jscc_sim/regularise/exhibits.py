"""What the figures show of a trained model: latents, samples, reconstructions and interpolations."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jscc_sim.image_metrics import planes
from jscc_sim.regularise.conduct import generated, means, reconstructed
from jscc_sim.regularise.folder import DRAWN, LATENTS, load_model, load_result
from jscc_sim.regularisers.priors import PRIORS

SAMPLES, RECONSTRUCTED, PAIRS, STEPS = 48, 16, 2, 9

Pictures = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Exhibit:
    """Latents ``(count, k)``, as the decoder sees them, and pictures ``(..., height, width, channels)`` in [0, 1].

    ``result`` is what was measured.

    ``interpolated (pairs, steps, ...)`` leads from one original's latent to the next one's; ``ends (pairs, 2, ...)``
    are the two originals.
    """

    result: dict[str, Any]
    latents: NDArray[np.float32]
    samples: Pictures
    originals: Pictures
    reconstructions: Pictures
    ends: Pictures
    interpolated: Pictures


def exhibit(folder: Path, judged: NDArray[np.uint8]) -> Exhibit:
    """What the figures show of the study that was saved into a folder, with the images that it was judged by."""
    model, result = load_model(folder), load_result(folder)
    originals = planes(judged[:RECONSTRUCTED])
    ends = planes(judged[: 2 * PAIRS])
    first, last = means(model, ends).unflatten(0, (PAIRS, 2)).unbind(1)
    prior = PRIORS[result["prior"]]()
    path = torch.stack([arc(first, last, share) for share in torch.linspace(0, 1, STEPS).tolist()], 1)
    return Exhibit(
        result,
        prior.from_gaussian(torch.from_numpy(np.load(folder / LATENTS, allow_pickle=False))).numpy(),
        pictures(generated(model, torch.from_numpy(np.load(folder / DRAWN, allow_pickle=False)[:SAMPLES]))),
        pictures(originals),
        pictures(reconstructed(model, originals)),
        pictures(ends).reshape(PAIRS, 2, *pictures(ends).shape[1:]),
        pictures(generated(model, path.flatten(0, 1))).reshape(PAIRS, STEPS, *pictures(ends).shape[1:]),
    )


def arc(first: Tensor, last: Tensor, share: float) -> Tensor:
    """So far on the way between latents ``(count, k)``, turning: the norm goes straight from one's to the other's.

    Straight lines lead through short latents, which a Gaussian of many dimensions hardly has.
    """
    lengths = [z.norm(dim=1, keepdim=True).clamp_min(1e-6) for z in (first, last)]
    cosine = ((first * last).sum(1, keepdim=True) / (lengths[0] * lengths[1])).clamp(-1 + 1e-6, 1 - 1e-6)
    angle = cosine.arccos()
    turned = ((1 - share) * angle).sin() * first / lengths[0] + (share * angle).sin() * last / lengths[1]
    return ((1 - share) * lengths[0] + share * lengths[1]) * turned / angle.sin()


def pictures(images: Tensor) -> Pictures:
    """Planes as pictures ``(count, height, width, channels)``."""
    found: Pictures = images.clamp(0, 1).permute(0, 2, 3, 1).numpy()
    return found
