"""The autoencoder that the drop-in tests train: two layers and one regulariser, whose forward pass is the loss."""

from collections.abc import Mapping

import torch
from test_regularisers import SOME, weak_signal
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from jscc_sim.codecs import NeuralCodec
from jscc_sim.regularisers import JammingRegulariser, Regulariser


def jamming_by_itself() -> Regulariser:
    """The jammer with a weight that it chooses from its third call on."""
    return JammingRegulariser(weak_signal(), NeuralCodec(2, 2, hidden=16), weight="auto", warmup=2)


DROPPED_IN = {**SOME, "jamming-auto": jamming_by_itself}


class SmallAutoencoder(nn.Module):
    """Five numbers through two latents, regularised by what `DROPPED_IN` holds under ``name``.

    The encoder ends without a bias: before batch normalisation its gradient is nothing but rounding, of which Adam
    would make full steps.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.reg = DROPPED_IN[name]()
        self.encoder = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, self.reg.width(2), bias=False))
        self.decoder = nn.Linear(2, 5)

    def forward(self, x: Tensor) -> Tensor:
        """The loss of ``x (batch, 5)``."""
        z = self.reg.norm(self.encoder(x))
        return mse_loss(self.decoder(z), x) + self.reg(z)


def train(model: nn.Module, optimiser: torch.optim.Optimizer, steps: int = 3) -> list[float]:
    """Losses of as many steps on Gaussian numbers."""
    losses = []
    for _ in range(steps):
        loss = model(torch.randn(32, 5))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    return losses


def shared(state: Mapping[str, object]) -> dict[str, object]:
    """What replicas of a state have in common: all but the gradients that a diagnosis saw, in each process its own."""
    return {key: value for key, value in state.items() if ".gradients." not in key}


def same(one: object, other: object) -> bool:
    """Whether two states are equal, bit for bit."""
    if isinstance(one, Tensor):
        return torch.equal(one, other)
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other
