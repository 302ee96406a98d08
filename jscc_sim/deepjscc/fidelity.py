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


def measure(codec: Codec, channel: Channel, images: Tensor, shape: Shape, seed: int = 0) -> Fidelity:
    """Of images ``(count, k)`` of a ``shape``, each sent once; what arrives is cut to [0, 1]."""
    received = send(codec, channel, images, seed).clamp(0, 1)
    found = fidelity(as_images(images, shape), as_images(received, shape))
    mse, psnr, ssim = (float(found[name].mean()) for name in ("mse", "psnr", "ssim"))
    return Fidelity(mse, psnr, standard_error(found["psnr"]), peak_ratio(mse), ssim, standard_error(found["ssim"]))
