"""Bits on complex symbols: a codec of bits whose symbols are grouped into the points of a constellation."""

import math

import torch
from torch import Tensor

from channels import AWGN, MemorylessChannel
from jscc_sim.codecs.base import BitCodec, Codec
from jscc_sim.codecs.block import Repetition

# Bits per complex symbol.
CONSTELLATIONS = {"qpsk": 2, "8psk": 3, "16qam": 4, "64qam": 6, "256qam": 8}
# A law whose LLR of y is y: for codes to whom LLRs are handed.
OF_LLRS = AWGN(2.0)
# A use lost in a fade says nothing, in finite numbers.
LEAST_GAIN = 1e-6


class Modulated(Codec):
    """The words of ``code``, some bits to each point of a Gray-labelled ``constellation`` (Sionna, labels of 5G).

    A complex symbol is two successive real uses, of power one each: ``n = 2 code.n / bits``. The symbols of the code
    fill points in the order that it asks for. Bits that are sent once are decided with the nearest point; for others
    the receiver computes the LLR of each bit, over all points.
    """

    source_alphabet = "bits"
    alphabet = "real"

    def __init__(self, code: BitCodec, constellation: str) -> None:
        super().__init__()
        if constellation not in CONSTELLATIONS:
            raise ValueError(f"no constellation is called {constellation!r}: choose from {', '.join(CONSTELLATIONS)}")
        self.bits = CONSTELLATIONS[constellation]
        if code.n % self.bits:
            wrong = f"words of {code.n} symbols do not fill points of {constellation}, which take {self.bits} bits each"
            raise ValueError(f"{wrong}: use words of a multiple of {self.bits}")
        self.code, self.constellation = code, constellation
        self.k, self.n, self.cost = code.k, 2 * code.n // self.bits, code.cost
        self.register_buffer("order", code.order(self.bits), persistent=False)
        self.register_buffer("place", self.order.argsort(), persistent=False)
        with torch.random.fork_rng(devices=[]):  # importing Sionna reseeds torch
            from sionna.phy.mapping import Constellation, Demapper, Mapper
        # Square QAM is amplitude modulation on either axis: the receiver has the root of as many points to consider.
        self.square = not constellation.endswith("psk") or constellation == "qpsk"
        points = (
            Constellation("pam", self.bits // 2, precision="single", device="cpu")
            if self.square
            else Constellation("custom", self.bits, _gray_psk(self.bits), precision="single", device="cpu")
        )
        self.mapper = Mapper(constellation=points, precision="single", device="cpu")
        self.decided = isinstance(code, Repetition) and code.times == 1
        method = "maxlog" if self.decided else "app"
        self.demapper = Demapper(method, constellation=points, precision="single", device="cpu")

    order: Tensor
    place: Tensor

    def encode(self, u: Tensor) -> Tensor:
        """Points ``(..., n)``: real part, imaginary part, and so on."""
        bits = (1 - self.code.encode(u)[..., self.order]) / 2
        if self.square:
            x = self.mapper(self._by_axis(bits)).real.contiguous()
        else:
            x = math.sqrt(2) * torch.view_as_real(self.mapper(bits)).flatten(-2)
        return x.to(u.dtype)

    def llr(self, y: Tensor, law: MemorylessChannel) -> Tensor:
        """The log-odds ``(..., code.n)`` of each symbol of the code, +1 against −1."""
        if not isinstance(law, AWGN):
            raise ValueError(f"points of a constellation are received in Gaussian noise, not from {type(law).__name__}")
        gain = torch.as_tensor(law.gain, dtype=torch.float32).clamp_min(LEAST_GAIN)
        noise = law.noise_power / gain.square()
        heard = y.float() / gain
        if self.square:
            llr = self._by_bit(self.demapper(torch.complex(heard, torch.zeros_like(heard)), 2 * noise))
        else:
            points = torch.view_as_complex(heard.unflatten(-1, (-1, 2)).contiguous())
            llr = self.demapper(points / math.sqrt(2), noise[..., ::2] if noise.dim() else noise)
        return -llr[..., self.place].to(y.dtype)

    def decode(self, y: Tensor, law: MemorylessChannel) -> Tensor:
        """What the code makes of the log-odds."""
        return self.code.decode(self.llr(y, law), OF_LLRS)

    def loss(self, u: Tensor, y: Tensor, law: MemorylessChannel) -> Tensor:
        """The stake of the code."""
        return self.code.loss(u, self.llr(y, law), OF_LLRS)

    def _by_axis(self, bits: Tensor) -> Tensor:
        """Of each point the bits of the real part, every other one, before those of the imaginary part."""
        return bits.unflatten(-1, (-1, self.bits // 2, 2)).transpose(-1, -2).flatten(-3)

    def _by_bit(self, llr: Tensor) -> Tensor:
        """Back again."""
        return llr.unflatten(-1, (-1, 2, self.bits // 2)).transpose(-1, -2).flatten(-3)

    def extra_repr(self) -> str:
        """Every parameter that is no module."""
        interleaved = not torch.equal(self.order, torch.arange(self.code.n, device=self.order.device))
        return f"constellation={self.constellation!r}, interleaved={interleaved}"


def _gray_psk(bits: int) -> Tensor:
    """Points on the unit circle by label: neighbours differ in one bit."""
    places = torch.arange(2**bits)
    phases = torch.empty(2**bits)
    phases[places ^ (places >> 1)] = (places + 0.5) * (2 * math.pi / 2**bits)
    return torch.polar(torch.ones(2**bits), phases)
