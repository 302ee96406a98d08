"""Tail-safe codecs: the best linear codec plus a learned correction that is bounded and vanishes far out."""

import math

import torch
from torch import Tensor, nn

from channels import MemorylessChannel, UnitPower
from channels.power import normal_points
from jscc_sim.codecs.base import CALIBRATION_WORDS, LearnedCodec
from jscc_sim.codecs.linear import Linear, gaussian_law
from jscc_sim.sources import checked_count

# The largest |tanh''|.
TANH_BEND = 4 / (3 * math.sqrt(3))
# Rounding of float32 times a Lipschitz constant may alter a correction by less than this where it is to be proved.
FLOAT32, UNHEARD = 2.0**-22, 1e-4


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

    @torch.no_grad()
    def curvature(self) -> float:
        """A bound of ``|c''|`` for a single input, proved, with its window: derivatives bounded layer by layer."""
        first, hidden, last = (layer.weight.double().abs() for layer in self.net if isinstance(layer, nn.Linear))
        # Slopes and curvatures of what enters the second tanh, of the net, and of the tanh that bounds it.
        slope, bend = hidden @ first, TANH_BEND * hidden @ first**2
        net_slope, net_bend = last @ slope, last @ (TANH_BEND * slope**2 + bend)
        tanh_bend = TANH_BEND * net_slope**2 + net_bend
        window = net_slope * 2 * math.exp(-0.5) / self.reach + 1 / self.reach**2
        return float(self.bound * (tanh_bend + window).max())

    @property
    def is_sound(self) -> bool:
        """Whether this is exactly the function of the docstring, finite and moderate enough for float32 to compute.

        Without it nothing is proved: biases, other layers, hooks or enormous weights make it another function.
        """
        kinds = [type(layer) for layer in self.net]
        if type(self) is not Correction or type(self.net) is not nn.Sequential or "forward" in vars(self):
            return False
        if kinds != [nn.Linear, nn.Tanh, nn.Linear, nn.Tanh, nn.Linear]:
            return False
        if any(_is_altered(module) for module in self.modules()):
            return False
        weights = [layer.weight for layer in self.net if isinstance(layer, nn.Linear)]
        if not all(bool(weight.isfinite().all()) for weight in weights) or not (0 < self.bound < math.inf):
            return False
        return self.reach > 0 and FLOAT32 * self.lipschitz() < UNHEARD

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


def _is_altered(module: nn.Module) -> bool:
    """Whether a bias, a hook or a method of its own makes a layer another function."""
    own = "forward" in vars(module) or getattr(module, "bias", None) is not None
    return bool(own or module._forward_hooks or module._forward_pre_hooks)
