"""Neural codecs: learned encoders and decoders of real source words."""

import torch
from torch import Tensor, nn

from channels import MemorylessChannel, UnitPower
from channels.power import normal_points
from jscc_sim.codecs.base import Codec
from jscc_sim.sources import checked_count

BOUND = 2.0


class TailSafe(nn.Module):
    """``A v + 2 tanh(net(v))``: free within, linear far out, where a free net would invite rare large pulses."""

    def __init__(self, inputs: int, outputs: int, hidden: int) -> None:
        super().__init__()
        self.line = nn.Linear(inputs, outputs, bias=False)
        self.net = nn.Sequential(
            nn.Linear(inputs, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, outputs)
        )

    def forward(self, v: Tensor) -> Tensor:
        """``v (..., inputs)`` to ``(..., outputs)``."""
        return self.line(v) + BOUND * torch.tanh(self.net(v))


class NeuralCodec(Codec):
    """``x = f(u)`` at unit power, ``û = g(y)``, both tail-safe nets; for words of ``k`` symbols over ``n`` uses.

    The power is taken over the batch in training and frozen in evaluation: at first as it is for a source ``N(0, I)``;
    after training, `calibrate` measures it anew.
    """

    cost = 8

    def __init__(self, k: int = 1, n: int = 1, hidden: int = 64) -> None:
        super().__init__()
        self.k, self.n, self.hidden = checked_count("k", k), checked_count("n", n), checked_count("hidden", hidden)
        self.encoder = TailSafe(k, n, hidden)
        self.unit = UnitPower()
        self.decoder = TailSafe(n, k, hidden)
        self.calibrate(normal_points(2**12, k))

    def encode(self, u: Tensor) -> Tensor:
        """The encoder's output at unit power per symbol."""
        return self.unit(self.encoder(u))

    def decode(self, y: Tensor, law: MemorylessChannel) -> Tensor:
        """The decoder's estimate; it learned its law, whatever it is told now."""
        return self.decoder(y)

    @torch.no_grad()
    def calibrate(self, u: Tensor) -> None:
        """Freeze the encoder's power as it is over the source words ``u (words, k)``."""
        self.unit.freeze(self.encoder(u.to(self.encoder.line.weight)).double().square().mean())

    def extra_repr(self) -> str:
        """The sizes; the weights enter by digest."""
        return f"k={self.k}, n={self.n}, hidden={self.hidden}"
