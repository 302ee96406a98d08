"""What a codec of images is worth over a channel: error, PSNR and SSIM of images sent through it."""

from typing import NamedTuple

import torch
from torch import Tensor

from channels import Channel
from jscc_sim.codecs import Codec
from jscc_sim.image_metrics import fidelity
from jscc_sim.metrics import peak_ratio
from jscc_sim.nets import Shape, as_images
from jscc_sim.seeds import seeded
from jscc_sim.tally import standard_error

# Images at a time.
TOGETHER = 500


class Fidelity(NamedTuple):
    """Means over images: square error per value, PSNR in dB of each image, and of that mean error, and SSIM.

    ``_error`` is a standard error over images.
    """

    mse: float
    psnr: float
    psnr_error: float
    psnr_of_mse: float
    ssim: float
    ssim_error: float


@torch.no_grad()
def send(codec: Codec, channel: Channel, images: Tensor, seed: int = 0) -> Tensor:
    """What arrives of images ``(count, k)``, each sent once, in evaluation and in float32."""
    codec, trained, jamming = codec.told(channel.nominal), codec.training, channel.training
    codec.eval()
    channel.eval()
    try:
        with seeded(seed, str(images.device)):
            found = []
            for part in images.split(TOGETHER):
                received = channel.transmit(codec.encode(part), part)
                found.append(codec.decode(received.y, received.law))
            return torch.cat(found)
    finally:
        codec.train(trained)
        channel.train(jamming)


def measure(codec: Codec, channel: Channel, images: Tensor, shape: Shape, draws: int = 1, seed: int = 0) -> Fidelity:
    """Of images ``(count, k)`` of a ``shape``, each sent so often; what arrives is cut to [0, 1]."""
    wanted = as_images(images, shape)
    received = (send(codec, channel, images, seed + draw).clamp(0, 1) for draw in range(draws))
    seen = [fidelity(wanted, as_images(found, shape)) for found in received]
    mse, psnr, ssim = (torch.stack([one[name] for one in seen]).mean(0) for name in ("mse", "psnr", "ssim"))
    mean = float(mse.mean())
    errors = standard_error(psnr), standard_error(ssim)
    return Fidelity(mean, float(psnr.mean()), errors[0], peak_ratio(mean), float(ssim.mean()), errors[1])
