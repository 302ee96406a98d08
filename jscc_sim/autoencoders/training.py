"""The training of an autoencoder with its regulariser."""

import math
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from jscc_sim.autoencoders.nets import Autoencoder
from jscc_sim.epochs import Epochs


@dataclass(frozen=True)
class Schedule:
    """How an autoencoder learns: Adam with a cosine schedule from ``lr``, over ``epochs`` of shuffled batches.

    With ``bf16`` the nets compute in bfloat16, by autocast; weights, latents, penalty and error stay in float32.
    """

    epochs: int = 12
    batch: int = 256
    lr: float = 3e-3
    bf16: bool = False

    def __post_init__(self) -> None:
        if not (self.epochs >= 1 and self.batch >= 2 and self.lr > 0):
            raise ValueError(
                f"epochs must be 1 or more, batch 2 or more, lr positive: {self.epochs}, {self.batch}, {self.lr}"
            )

    def rate(self, done: int, steps: int) -> float:
        """The rate of Adam after ``done`` of ``steps`` steps."""
        return self.lr * (1 + math.cos(math.pi * done / steps)) / 2


class Epoch(NamedTuple):
    """How many epochs are done, and the mean squared error per value and the weighted penalty over the last one.

    Within an epoch the number is a fraction, and the means are over what has been of it.
    """

    number: float
    mse: float
    penalty: float


Hear = Callable[[Epoch], None]


def fit_autoencoder(model: Autoencoder, images: Tensor, schedule: Schedule | None = None) -> Generator[Epoch]:
    """Train on ``images (count, channels, height, width)`` in [0, 1] and yield each epoch; in evaluation at the end."""
    yield from Training(model, images, schedule or Schedule()).run()


class Training(Epochs[Epoch]):
    """An autoencoder's epochs."""

    epoch = Epoch
    model: Autoencoder
    schedule: Schedule

    def __init__(
        self, model: Autoencoder, images: Tensor, schedule: Schedule, said: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(model, images, schedule, said)
        learned = [*model.encoder.parameters(), *model.decoder.parameters()]
        self.optimiser = torch.optim.Adam(learned, schedule.lr, fused=True)

    def step(self, x: Tensor) -> Tensor:
        """The error and the penalty."""
        lower = torch.autocast(x.device.type, torch.bfloat16, enabled=self.schedule.bf16)
        with lower:
            h = self.model.encoder(x)
        z = self.model.reg.norm(h.float())
        with lower:
            decoded = self.model.decoder(z)
        loss, penalty = nn.functional.mse_loss(decoded.float(), x), self.model.reg(z)
        self.optimiser.zero_grad()
        (loss + penalty).backward()
        self.optimiser.step()
        return torch.stack((loss.detach(), penalty.detach()))
