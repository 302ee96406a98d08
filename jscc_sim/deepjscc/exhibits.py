"""What the figures show of a trained codec: how it degrades with the SNR, and what arrives of images."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from jscc_sim.data.parts import Parts
from jscc_sim.deepjscc.fidelity import measure, send
from jscc_sim.deepjscc.folder import load_channel, load_deepjscc
from jscc_sim.deepjscc.study import Study

# SNRs in dB: where fidelity is measured, and at which images are shown, around those of training.
AROUND, STEP, SHOWN_AT = 10.0, 2.0, (-8.0, 0.0, 8.0)
SHOWN, JUDGED = 16, 1000

Pictures = NDArray[np.float32]
Points = list[tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Exhibit:
    """PSNR in dB and SSIM over the SNR in dB, and pictures ``(count, height, width, channels)``, by level."""

    psnr: Points
    ssim: Points
    originals: Pictures
    received: dict[float, Pictures]


def exhibit(study: Study, folder: Path, parts: Parts) -> Exhibit:
    """What the figures show of the study that was saved into a folder, over its own channel."""
    codec, channel, images = load_deepjscc(folder), load_channel(study, folder), study.judged(parts.test)
    low, high = study.snr_db[0], study.snr_db[-1]
    levels = np.arange(low - AROUND, high + AROUND + STEP / 2, STEP).tolist()
    found = {level: measure(codec, channel.at(level), images[:JUDGED], codec.shape) for level in levels}
    shape = parts.test.images.shape[1:]

    def pictures(words: torch.Tensor) -> Pictures:
        return words.numpy().reshape(len(words), shape[0], shape[1], -1)

    few = images[:SHOWN]
    return Exhibit(
        [(level, one.psnr) for level, one in found.items()],
        [(level, one.ssim) for level, one in found.items()],
        pictures(few),
        {study.middle + off: pictures(send(codec, channel.at(study.middle + off), few)) for off in SHOWN_AT},
    )
