"""How close reconstructions are to their originals, image by image: MSE, PSNR and SSIM."""

import torch
from torch import Tensor
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from jscc_sim.image_metrics.planes import Images, planes, shape_of
from jscc_sim.nets import Shape

BATCH = 500
# Of images, which SSIM mirrors at their edges by half its window of 11 pixels.
LEAST_SIDE = 6


def check_sides(shape: Shape) -> None:
    """ValueError unless images ``(channels, height, width)`` have room for the window of SSIM."""
    if min(shape[1:]) < LEAST_SIDE:
        raise ValueError(f"SSIM takes images of {LEAST_SIDE} × {LEAST_SIDE} or more, got {shape[1]} × {shape[2]}")


def fidelity(originals: Images, reconstructions: Images) -> dict[str, Tensor]:
    """``mse`` per value, ``psnr`` in dB and ``ssim`` of each image, ``(count,)``, of values in [0, 1].

    The PSNR of an image that is reproduced exactly is infinite. SSIM is Wang's, with a Gaussian window of 11 pixels.
    """
    if len(originals) != len(reconstructions) or not len(originals):
        raise ValueError(f"{len(originals)} originals cannot be compared with {len(reconstructions)} reconstructions")
    check_sides(shape_of(originals))
    found: dict[str, list[Tensor]] = {"mse": [], "psnr": [], "ssim": []}
    for start in range(0, len(originals), BATCH):
        wanted, got = (planes(images[start : start + BATCH]).cpu() for images in (originals, reconstructions))
        if wanted.shape != got.shape:
            raise ValueError(f"originals are {tuple(wanted.shape[1:])}, reconstructions {tuple(got.shape[1:])}")
        found["mse"].append((wanted - got).square().mean((1, 2, 3)))
        found["psnr"].append(
            peak_signal_noise_ratio(got, wanted, data_range=1.0, reduction="none", dim=(1, 2, 3)).view(-1)
        )
        similar = structural_similarity_index_measure(got, wanted, data_range=1.0, reduction="none")
        found["ssim"].append(torch.as_tensor(similar).view(-1))
    return {name: torch.cat(parts).double() for name, parts in found.items()}
