"""Metrics of images, through torchmetrics: distances between sets in a named network's features, PSNR and SSIM."""

from jscc_sim.image_metrics.distances import Reference, distances, frechet_distance, kernel_distance
from jscc_sim.image_metrics.extractor import Extractor
from jscc_sim.image_metrics.fidelity import check_sides, fidelity
from jscc_sim.image_metrics.perceptual import perceptual_distance
from jscc_sim.image_metrics.planes import Images, planes, shape_of
from jscc_sim.image_metrics.registry import EXTRACTORS, extractor

__all__ = [
    "EXTRACTORS",
    "Extractor",
    "Images",
    "Reference",
    "check_sides",
    "distances",
    "extractor",
    "fidelity",
    "frechet_distance",
    "kernel_distance",
    "perceptual_distance",
    "planes",
    "shape_of",
]
