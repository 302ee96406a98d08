"""Tail-safe codecs: the best linear codec plus a learned correction that is bounded and vanishes far out."""

import math

import torch
from torch import Tensor, nn

from channels import MemorylessChannel, UnitPower
from channels.power import normal_points
from jscc_sim.codecs.base import LearnedCodec
from jscc_sim.codecs.linear import Linear, gaussian_law
from jscc_sim.sources import checked_count

CALIBRATION_WORDS = 2**12


class Correction(nn.Module):
    """``c(v) = bound · tanh(net(v)) · exp(−mean(v²)/2 reach²)``, an odd function; without a reach there is no window.

    The net has no biases, because the game looks the same after a change of sign. ``|c_i| ≤ bound`` whatever it learns.
    """

    def __init__(self, inputs: int, outputs: int, hidden: int, bound: float, reach: float = math.inf) -> None:
        super().__init__()
        self.bound, self.reach = bound, reach
        self.net = nn.Sequential(
            nn.Linear(inputs, hidden, bias=False),
            nn.Tanh(),
            nn.Linear(hidden, hidden, bias=False),
            nn.Tanh(),
            nn.Linear(hidden, outputs, bias=False),
        )

    def forward(self, v: Tensor) -> Tensor:
        """``v (..., inputs)`` to ``(..., outputs)``."""
        free = self.bound * torch.tanh(self.net(v))
        if math.isinf(self.reach):
            return free
        return free * torch.exp(v.square().mean(-1, keepdim=True) / (-2 * self.reach**2))

    @torch.no_grad()
    def lipschitz(self) -> float:
        """``bound · Π ‖weights‖``: a Lipschitz constant, proved, of the correction without its window."""
        weights = [layer.weight.double() for layer in self.net if isinstance(layer, nn.Linear)]
        return self.bound * math.prod(float(torch.linalg.matrix_norm(weight, 2)) for weight in weights)

    def extra_repr(self) -> str:
        """Every parameter."""
        return f"bound={self.bound!r}, reach={self.reach!r}"


class TailSafeCodec(LearnedCodec):
    """``x = (F u + c(u))/√p``, ``û = G y + c′(y/σ)``: a learned `Correction` on either side of `Linear`.

    ``G`` is the linear MMSE receiver for the law at hand and ``σ² = gain² + noise power`` the power received. Far out,
    where no training sample falls, the receiver is exactly the optimal linear one: a net free to grow there would
    invite rare large pulses, and no bound on what a jammer can do to it could be proved. Designed for this project.
    """

    BOUND = 2.0
    REACH = 3.0

    def __init__(self, k: int = 1, n: int = 1, hidden: int = 64) -> None:
        super().__init__()
        self.linear = Linear(k, n)
        self.k, self.n, self.hidden = self.linear.k, self.linear.n, checked_count("hidden", hidden)
        self.encoder = Correction(k, n, hidden, self.BOUND)
        self.unit = UnitPower()
        self.decoder = Correction(n, k, hidden, self.BOUND, self.REACH)
        self.calibrate(normal_points(CALIBRATION_WORDS, k))

    def raw(self, u: Tensor) -> Tensor:
        """The linear word, corrected."""
        return self.linear.encode(u) + self.encoder(u)

    def decode(self, y: Tensor, law: MemorylessChannel) -> Tensor:
        """The linear estimate under ``law``, corrected by what was learned."""
        believed = gaussian_law(law)
        received = believed.gain * believed.gain + believed.noise_power
        return self.linear.decode(y, law) + self.decoder(y / received**0.5)

    def extra_repr(self) -> str:
        """The sizes; the weights enter by digest."""
        return f"k={self.k}, n={self.n}, hidden={self.hidden}"
