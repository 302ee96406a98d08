"""An extractor turns images into features; a distance between sets of images is one between their features."""

from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor, nn

from jscc_sim.image_metrics.planes import Images, planes, rounded

BATCH = 50


class Extractor(nn.Module):
    """A frozen network that maps images ``(count, c, h, w)`` in [0, 1] to features ``(count, num_features)``.

    The names of the metrics, ``frechet`` and ``kernel``, carry the extractor's own, since each has a scale of its own.
    `perceptual_distance` looks at the outputs of the network's modules named as ``stages``, each ``(count, c, h, w)``.
    An extractor of your own is ``Extractor("mine", network, 128)``; `distances` then gives ``fd_mine`` and ``kd_mine``.
    """

    def __init__(
        self,
        name: str,
        network: nn.Module,
        num_features: int,
        *,
        frechet: str = "",
        kernel: str = "",
        batch: int = BATCH,
        stages: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.name, self.num_features, self.batch, self.stages = name, num_features, batch, tuple(stages)
        self.frechet, self.kernel = frechet or f"fd_{name}", kernel or f"kd_{name}"
        self.network = network.eval().requires_grad_(False)

    def train(self, mode: bool = True) -> Self:
        """Nothing: batch norms must not move."""
        return self

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """The features, in float32."""
        found: Tensor = self.network(images)
        if found.shape != (len(images), self.num_features):
            wanted = (len(images), self.num_features)
            raise ValueError(f"{self.name} should give features of shape {wanted}, it gave {tuple(found.shape)}")
        return found.float()

    def of(self, images: Images) -> Tensor:
        """The features ``(count, num_features)``, on the CPU, of images rounded to bytes, ``batch`` at a time."""
        if not len(images):
            raise ValueError(f"{self.name} needs images, got none")
        device = next((parameter.device for parameter in self.network.parameters()), torch.device("cpu"))
        batches = (images[start : start + self.batch] for start in range(0, len(images), self.batch))
        return torch.cat([self(rounded(planes(batch).to(device))).cpu() for batch in batches])
