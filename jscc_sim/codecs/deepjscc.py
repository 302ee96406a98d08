"""DeepJSCC: convolutional nets that send images as channel symbols, with no bits in between."""

import copy
import math
from typing import Self

import torch
from torch import Tensor

from channels import AWGN, MemorylessChannel, decibels, from_decibels
from jscc_sim.codecs.base import Codec
from jscc_sim.codecs.deepjscc_nets import NETS, STRIDE
from jscc_sim.nets import Shape, as_images, as_words
from jscc_sim.sharing import shared_out
from jscc_sim.spelling import known

# What adaptive nets are told lies within it, however deep a fade.
SNR_DB = (-10.0, 40.0)


class DeepJSCC(Codec):
    """Images ``u (..., k)`` as words of ``n`` real symbols, ``n/2`` complex ones, each word of power one per symbol.

    ``shape`` is that of the images, ``(channels, height, width)``; their values, in [0, 1], come row by row, the
    colours of each pixel together. ``adaptive`` nets are told the SNR: the transmitter that of `told`, the receiver
    that of each word. With a ``peak`` no complex symbol has more than so many times the mean power: what exceeds it is
    cut, and the others grow by what it gives up. Source: Bourtsoulatze, Kurka, Gündüz, arXiv 1809.01733.
    """

    cost = 64

    def __init__(
        self,
        shape: Shape = (3, 32, 32),
        n: int = 1024,
        net: str = "paper",
        *,
        adaptive: bool = False,
        peak: float | None = None,
        snr_db: float = 10.0,
    ) -> None:
        super().__init__()
        known("net", net, NETS)
        if n % 2:
            raise ValueError(f"a complex symbol is two uses: n must be even, got {n}")
        if peak is not None and not peak > 1:
            raise ValueError(f"a peak over the mean power must be above 1, got {peak}")
        colours, height, width = shape
        self.shape, self.n, self.k = (colours, height, width), n, math.prod(shape)
        self.net, self.adaptive, self.peak, self.snr_db = net, bool(adaptive), peak, float(snr_db)
        self.encoder, self.decoder = NETS[net](self.shape, n, adaptive=adaptive)

    def told(self, law: MemorylessChannel) -> Self:
        """The same codec, whose transmitter counts on the mean SNR of a channel whose nominal law is ``law``.

        Channels pass on the mean power of words, 1, as fading does; so what arrives beyond it is noise. The nominal
        noise itself is more than that where a channel fades: it is for receivers that do not know the gains.
        """
        other = copy.copy(self)
        if isinstance(law, AWGN):
            noise = law.noise_power + (float(law.gain) ** 2 - 1)
            low, high = SNR_DB
            other.snr_db = max(low, -decibels(max(noise, from_decibels(-high))))
        return other

    def encode(self, u: Tensor) -> Tensor:
        """Words on a sphere, and within the peak."""
        if u.shape[-1] != self.k:
            raise ValueError(f"the codec is for images of {self.shape}, {self.k} values, got {u.shape[-1]}")
        images = as_images(u, self.shape)
        snr_db = images.new_full((len(images), 1), self.snr_db)
        raw = self.encoder(images, snr_db).flatten(1).float()
        x = math.sqrt(self.n) * torch.nn.functional.normalize(raw, dim=1)
        return self._within_peak(x).reshape(*u.shape[:-1], self.n)

    def decode(self, y: Tensor, law: MemorylessChannel) -> Tensor:
        """Images, within [0, 1] in evaluation, from a linear estimate of symbols that counts on a Gaussian ``law``."""
        if not isinstance(law, AWGN):
            raise ValueError(f"a receiver of real symbols knows Gaussian noise, not {type(law).__name__}")
        gain = torch.as_tensor(law.gain, dtype=y.dtype, device=y.device)
        power = gain.square() + law.noise_power
        heard = (y * (gain / power)).reshape(-1, self.n)
        snr_db = 10 * torch.log10((power / law.noise_power - 1).clamp_min(1e-9))
        told = snr_db.expand(*y.shape[:-1], 1) if snr_db.dim() == 0 else snr_db.mean(-1, keepdim=True)
        grid = heard.unflatten(1, (-1, self.shape[1] // STRIDE, self.shape[2] // STRIDE))
        images = self.decoder(grid, told.reshape(-1, 1).clamp(*SNR_DB)).float()
        found = as_words(images).reshape(*y.shape[:-1], self.k)
        return found if self.training else found.clamp(0, 1)

    def _within_peak(self, x: Tensor) -> Tensor:
        if self.peak is None:
            return x
        pairs = x.unflatten(1, (-1, 2))
        powers = pairs.square().mean(2)
        allowed = self.peak * shared_out(powers, 1 / self.peak)
        return (pairs * (allowed / powers.clamp_min(1e-9)).sqrt().unsqueeze(2)).flatten(1)

    def extra_repr(self) -> str:
        """What it was made of; the weights enter by digest."""
        made = f"shape={self.shape!r}, n={self.n}, net={self.net!r}, adaptive={self.adaptive}, peak={self.peak!r}"
        return f"{made}, snr_db={self.snr_db!r}" if self.adaptive else made
