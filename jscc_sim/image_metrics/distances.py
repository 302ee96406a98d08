"""Distances between sets of images, in an extractor's features: Fréchet's (FID) and the kernel's (KID).

Under torch.distributed each process measures for itself: `sync_on_compute` is off, or one would wait for the others.
"""

import warnings

import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from jscc_sim.image_metrics.extractor import Extractor
from jscc_sim.image_metrics.planes import Images
from jscc_sim.image_metrics.registry import extractor
from jscc_sim.seeds import seeded

# Binkowski et al.'s (arXiv 1801.01401), and torchmetrics' defaults.
SUBSETS, SUBSET_SIZE = 100, 1000


class Reference:
    """Real images, their features taken once, from which any number of generated sets are measured.

    A Fréchet distance is biased upwards, the more the fewer the images and the more the features: compare only
    distances of equal counts, and mind that below ``num_features`` images the covariances are singular. The kernel
    distance is unbiased, and may be negative.
    """

    def __init__(self, real: Images, extractor_: str | Extractor) -> None:
        self.extractor = extractor(extractor_) if isinstance(extractor_, str) else extractor_
        self.features = _at_least_two(self.extractor.of(real))

    def distances(self, generated: Images, *, seed: int = 0, subsets: int = SUBSETS) -> dict[str, float]:
        """``fid_inception, kid_inception, kid_inception_std``, or ``fd_`` and ``kd_`` with another extractor's name.

        The kernel distance is the mean over ``subsets`` pairs of 1000 features each (or half of the smaller set),
        drawn by ``seed``, and ``_std`` is their standard deviation.
        """
        features = _at_least_two(self.extractor.of(generated))
        mean, spread = kernel_distance(self.features, features, seed=seed, subsets=subsets)
        kernel = self.extractor.kernel
        frechet = frechet_distance(self.features, features)
        return {self.extractor.frechet: frechet, kernel: mean, f"{kernel}_std": spread}


def distances(real: Images, generated: Images, extractor: str | Extractor, *, seed: int = 0) -> dict[str, float]:
    """Both distances between two sets of images, by names that carry the extractor's: see `Reference`."""
    return Reference(real, extractor).distances(generated, seed=seed)


def frechet_distance(real: Tensor, generated: Tensor) -> float:
    """``‖μ − μ'‖² + tr(Σ + Σ' − 2 (ΣΣ')^½)`` of two sets of features ``(count, d)``, computed in float64."""
    metric = FrechetInceptionDistance(feature=_Given(real.shape[1]), sync_on_compute=False)
    metric.update(real.double(), real=True)
    metric.update(generated.double(), real=False)
    distance = float(metric.compute())
    return 0.0 if distance < 0 else distance  # equal sets give a rounding error of either sign


def kernel_distance(real: Tensor, generated: Tensor, *, seed: int = 0, subsets: int = SUBSETS) -> tuple[float, float]:
    """The squared MMD of two sets of features ``(count, d)`` with the kernel ``(x·y/d + 1)³``: mean and spread."""
    # At most half of a set, lest all subsets be the same and their spread say nothing.
    size = max(2, min(SUBSET_SIZE, len(real) // 2, len(generated) // 2))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Metric `Kernel Inception Distance` will save")
        metric = KernelInceptionDistance(
            feature=_Given(real.shape[1]), subsets=subsets, subset_size=size, sync_on_compute=False
        )
    metric.update(real, real=True)
    metric.update(generated, real=False)
    with seeded(seed):
        mean, spread = metric.compute()
    return float(mean), float(spread)


class _Given(nn.Module):
    """Stands where the library expects a network, as the features are there already and serve both metrics."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        return features


def _at_least_two(features: Tensor) -> Tensor:
    if len(features) < 2:
        raise ValueError(f"a distance between sets needs at least 2 images in each, got {len(features)}")
    if not torch.isfinite(features).all():
        raise FloatingPointError("the features are not finite: look at the extractor")
    return features
