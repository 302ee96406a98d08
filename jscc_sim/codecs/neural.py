"""Neural codecs of real source words: learned nets, a scalar codec shared by all symbols, and modules of one's own."""

import torch
from torch import Tensor, nn

from channels import MemorylessChannel, UnitPower
from channels.power import normal_points
from jscc_sim.codecs.base import CALIBRATION_WORDS, Codec, LearnedCodec
from jscc_sim.sources import checked_count

BOUND = 2.0


class LineAndNet(nn.Module):
    """``A v + 2 tanh(net(v))``: a learned line, and a net that bends it."""

    def __init__(self, inputs: int, outputs: int, hidden: int) -> None:
        super().__init__()
        self.line = nn.Linear(inputs, outputs, bias=False)
        self.net = nn.Sequential(
            nn.Linear(inputs, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, outputs)
        )

    def forward(self, v: Tensor) -> Tensor:
        """``v (..., inputs)`` to ``(..., outputs)``."""
        return self.line(v) + BOUND * torch.tanh(self.net(v))


class NeuralCodec(LearnedCodec):
    """Two nets, each a learned line bent by a bounded net; for words of ``k`` symbols over ``n`` uses.

    Nothing is known of it but what it learned; where bounds are to be proved, `TailSafeCodec` is the better choice.
    """

    def __init__(self, k: int = 1, n: int = 1, hidden: int = 64) -> None:
        super().__init__()
        self.k, self.n, self.hidden = checked_count("k", k), checked_count("n", n), checked_count("hidden", hidden)
        self.encoder = LineAndNet(k, n, hidden)
        self.unit = UnitPower()
        self.decoder = LineAndNet(n, k, hidden)
        self.calibrate(normal_points(CALIBRATION_WORDS, k))

    def raw(self, u: Tensor) -> Tensor:
        """The encoder's net."""
        return self.encoder(u)

    def decode(self, y: Tensor, law: MemorylessChannel) -> Tensor:
        """The decoder's estimate; it learned its law, whatever it is told now."""
        return self.decoder(y)

    def extra_repr(self) -> str:
        """The sizes; the weights enter by digest."""
        return f"k={self.k}, n={self.n}, hidden={self.hidden}"


class ModuleCodec(LearnedCodec):
    """``x = encoder(u)/√p``, ``û = decoder(y)``: any pair of modules."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module, k: int, n: int) -> None:
        super().__init__()
        self.k, self.n = checked_count("k", k), checked_count("n", n)
        self.encoder, self.decoder, self.unit = encoder, decoder, UnitPower()
        self.calibrate(normal_points(CALIBRATION_WORDS, k))

    def raw(self, u: Tensor) -> Tensor:
        """The encoder's output; ValueError unless it has ``n`` symbols."""
        return _shaped("encoder", self.encoder(u), (*u.shape[:-1], self.n))

    def decode(self, y: Tensor, law: MemorylessChannel) -> Tensor:
        """The decoder's output; ValueError unless it has ``k`` symbols."""
        return _shaped("decoder", self.decoder(y), (*y.shape[:-1], self.k))

    def extra_repr(self) -> str:
        """The sizes; the modules show themselves, and their weights enter by digest."""
        return f"k={self.k}, n={self.n}"


class PerSymbolCodec(Codec):
    """One scalar codec for each of ``k`` symbols: what bounds it for k = 1 bounds it for all jammers of words."""

    cost = 8

    def __init__(self, codec: Codec, k: int) -> None:
        super().__init__()
        if codec.k != 1 or codec.n != 1:
            raise ValueError(f"only a codec of k=1, n=1 is shared by symbols, got k={codec.k}, n={codec.n}")
        self.codec, self.k, self.n = codec, checked_count("k", k), k

    def encode(self, u: Tensor) -> Tensor:
        """Each symbol by itself."""
        return self.codec.encode(u.unsqueeze(-1)).squeeze(-1)

    def decode(self, y: Tensor, law: MemorylessChannel) -> Tensor:
        """Each symbol by itself."""
        return self.codec.decode(y.unsqueeze(-1), law).squeeze(-1)

    def calibrate(self, u: Tensor) -> None:
        """That of the codec for one symbol."""
        self.codec.calibrate(u.reshape(-1, 1))

    def extra_repr(self) -> str:
        """The size; the codec shows itself."""
        return f"k={self.k}"


def _shaped(name: str, v: Tensor, shape: tuple[int, ...]) -> Tensor:
    if v.shape != shape:
        raise ValueError(f"the {name} must return words of shape {shape}, got {tuple(v.shape)}")
    return v
