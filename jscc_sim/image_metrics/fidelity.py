"""How close reconstructions are to their originals, image by image: MSE, PSNR and SSIM."""

import torch
from torchmetrics.image import PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure

from jscc_sim.image_metrics.planes import Images, planes, shape_of
from jscc_sim.nets import Shape

BATCH = 500
# Of images, which SSIM mirrors at their edges by half its window of 11 pixels.
LEAST_SIDE = 6


def check_sides(shape: Shape) -> None:
    """ValueError unless images ``(channels, height, width)`` have room for the window of SSIM."""
    if min(shape[1:]) < LEAST_SIDE:
        raise ValueError(f"SSIM takes images of {LEAST_SIDE} × {LEAST_SIDE} or more, got {shape[1]} × {shape[2]}")


def fidelity(originals: Images, reconstructions: Images) -> dict[str, float]:
    """``mse`` per value, ``psnr`` in dB and ``ssim``, each the mean over images, of values in [0, 1].

    The mean PSNR is infinite if one image is reproduced exactly. SSIM is Wang's, with a Gaussian window of 11 pixels.
    """
    if len(originals) != len(reconstructions) or not len(originals):
        raise ValueError(f"{len(originals)} originals cannot be compared with {len(reconstructions)} reconstructions")
    check_sides(shape_of(originals))
    squares = 0.0
    psnr = PeakSignalNoiseRatio(data_range=1.0, reduction="elementwise_mean", dim=(1, 2, 3), sync_on_compute=False)
    ssim = StructuralSimilarityIndexMeasure(data_range=1.0, sync_on_compute=False)
    for start in range(0, len(originals), BATCH):
        wanted, got = (planes(images[start : start + BATCH]).cpu() for images in (originals, reconstructions))
        if wanted.shape != got.shape:
            raise ValueError(f"originals are {tuple(wanted.shape[1:])}, reconstructions {tuple(got.shape[1:])}")
        squares += float((wanted - got).square().mean((1, 2, 3)).sum())
        psnr.update(got, wanted)
        ssim.update(got, wanted)
    return {
        "mse": squares / len(originals),
        "psnr": float(psnr.compute()),
        "ssim": float(torch.as_tensor(ssim.compute())),
    }
