"""What a codec of images is worth over a channel: error, PSNR and SSIM of images sent through it."""

from typing import NamedTuple

import torch
from torch import Tensor

from channels import Channel
from jscc_sim.codecs import DeepJSCC
from jscc_sim.image_metrics import fidelity
from jscc_sim.metrics import peak_ratio
from jscc_sim.nets import as_images
from jscc_sim.seeds import seeded

# Images at a time.
TOGETHER = 500


class Fidelity(NamedTuple):
    """Means over images: square error per value, PSNR in dB of each image, and of that mean error, and SSIM."""

    mse: float
    psnr: float
    psnr_of_mse: float
    ssim: float


@torch.no_grad()
def send(codec: DeepJSCC, channel: Channel, images: Tensor, seed: int = 0) -> Tensor:
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


def measure(codec: DeepJSCC, channel: Channel, images: Tensor, draws: int = 1, seed: int = 0) -> Fidelity:
    """Of images ``(count, k)``, each sent so often."""
    wanted = as_images(images, codec.shape)
    seen = [
        fidelity(wanted, as_images(send(codec, channel, images, seed + draw), codec.shape)) for draw in range(draws)
    ]
    mse, psnr, ssim = (sum(one[name] for one in seen) / draws for name in ("mse", "psnr", "ssim"))
    return Fidelity(mse, psnr, peak_ratio(mse), ssim)
