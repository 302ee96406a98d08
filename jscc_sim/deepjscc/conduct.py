"""A study conducted: trained, selected on validation images, and measured on unseen ones, its power and uses too."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from channels import Channel
from jscc_sim.codecs import DeepJSCC
from jscc_sim.data.parts import Parts
from jscc_sim.deepjscc.fidelity import measure
from jscc_sim.deepjscc.study import Study
from jscc_sim.deepjscc.training import Epoch, Training
from jscc_sim.epochs import unheard
from jscc_sim.seeds import seeded

Hear = Callable[[Epoch], None]


@dataclass(frozen=True, eq=False)
class Studied:
    """The trained codec, the channel that it learned over, its epochs, and what was measured."""

    study: Study
    codec: DeepJSCC
    channel: Channel
    epochs: list[Epoch]
    errors: dict[int, float]
    result: dict[str, Any]


def conduct(
    study: Study, parts: Parts, *, device: str = "cpu", saved: Path | None = None, hear: Hear = unheard
) -> Studied:
    """Train, then measure at the SNRs that the study is judged at.

    With ``saved``, training goes on from the checkpoint there, if one is, and leaves one after each epoch.
    """
    with seeded(study.seed, device):
        codec, channel = study.codec(parts).to(device), study.link()
        images, held = study.train(parts).to(device), study.judged(parts.validation).to(device)
        ends = study.snr_db[0], study.snr_db[-1]
        training = Training(codec, channel, ends, images, held, study.recipe, study.describe())
        for _ in training.run(saved, hear):
            pass
    codec.cpu()
    channel = training.channel.cpu()
    result = {
        **study.describe(),
        "n": codec.n,
        "uses_per_value": codec.n / 2 / codec.k,
        "parameters": sum(weights.numel() for weights in codec.parameters()),
        "bf16": training.precision.bf16,
        "selected_epoch": training.selected.epoch,
        **measured(codec, channel, study, parts),
        "cpu_seconds": round(training.seconds, 2),
    }
    return Studied(study, codec, channel, training.epochs, training.selected.errors, result)


def measured(codec: DeepJSCC, channel: Channel, study: Study, parts: Parts) -> dict[str, Any]:
    """PSNR and SSIM of test images at each SNR that the study is judged at, and the power of words.

    ``_error`` is a standard error over images.
    """
    start, images = time.process_time(), study.judged(parts.test)
    at_each = [measure(codec, channel.at(level), images, codec.shape) for level in study.judged_at]
    found: dict[str, Any] = {
        f"test_{score}": [round(getattr(one, score), 4) for one in at_each]
        for score in ("psnr", "psnr_error", "psnr_of_mse", "ssim", "ssim_error")
    }
    with torch.no_grad():
        x = codec.encode(images[:1000])
    pairs = x.unflatten(-1, (-1, 2)).square().mean(-1)
    found |= {"judged_at": list(study.judged_at), "power": float(x.square().mean())}
    found["peak_over_mean"] = float(pairs.max() / pairs.mean())
    return found | {"measuring_seconds": round(time.process_time() - start, 2)}
