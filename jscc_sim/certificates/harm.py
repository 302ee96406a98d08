"""What a codec loses to samples of a jammer or to a jammer, measured beside the linear codec, whose loss is exact."""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from channels import Jammer
from jscc_sim.certificates.signals import signals
from jscc_sim.certificates.stakes import Stakes
from jscc_sim.codecs import Codec

# Symbols decoded at a time.
SYMBOLS = 2**18
# Words that show which way a codec turns its words.
TURNED = 2**13
# Of the normal law, for 95 % on both sides together.
QUANTILE = 1.96


@dataclass(frozen=True, eq=False)
class Harm:
    """The harm of jamming a codec: per symbol, in excess of what a linear codec suffers on the same draws.

    To the codec ``x = Q u``, ``û = g Qᵀ y``, Q orthogonal, the sample z does exactly ``(1 − g)² + g² (N + ‖z‖²/k)``, so
    that its own deviation from that is taken out of the measurement. Q is the one that is nearest to ``E[x uᵀ]``: a
    learned codec may send its words turned round.
    """

    stakes: Stakes
    codec: Codec

    @cached_property
    def turn(self) -> Tensor:
        """Q ``(k, k)``, from words of its own."""
        with torch.no_grad():
            u = torch.randn(TURNED, self.stakes.k)
            left, _, right = torch.linalg.svd(self.codec.encode(u).T @ u)
        return left @ right

    def words(self, count: int) -> tuple[Tensor, Tensor]:
        """Source words and what is heard of them without a jammer, ``(count, k)`` each."""
        u, scale = torch.randn(count, self.stakes.k), math.sqrt(self.stakes.noise_power)
        noise = scale * torch.randn_like(u)
        return torch.cat((u, noise), 1), self.codec.encode(u) + noise

    def of(self, samples: Tensor, words: tuple[Tensor, Tensor]) -> Tensor:
        """``(m,)``: φ of each of ``samples (m, k)``, all on the same words; differentiable in them."""
        drawn, heard = words
        k = self.stakes.k
        u, noise = drawn[:, :k], drawn[:, k:]
        y = heard + samples.unsqueeze(1)
        loss = (u - self.codec.decode(y, self.stakes.law)).square().mean((1, 2))
        plain = self._plain(u, noise + samples.unsqueeze(1)).mean((1, 2))
        return loss - plain + self.linear(samples.square().mean(1))

    def _plain(self, u: Tensor, disturbance: Tensor) -> Tensor:
        """Squared errors of the linear codec."""
        heard = u @ self.turn.T + disturbance
        return (u - self.stakes.line * heard @ self.turn).square()

    @torch.no_grad()
    def measured(self, samples: Tensor, count: int) -> Tensor:
        """``(m,)``: φ of each sample on fresh words, the same for all."""
        step = max(1, SYMBOLS // (len(samples) * self.stakes.k))
        sizes = [min(step, count - start) for start in range(0, count, step)]
        parts = [self.of(samples, self.words(size)).double() * size for size in sizes]
        return torch.stack(parts).sum(0) / count

    @torch.no_grad()
    def against(self, jammer: Jammer, count: int) -> tuple[float, float]:
        """The payoff against a jammer that knows nothing, over fresh words, and its 95 % interval's half-width."""
        excess, step = [], max(1, SYMBOLS // self.stakes.k)
        law, k = self.stakes.law, self.stakes.k
        for start in range(0, count, step):
            size = min(step, count - start)
            drawn, heard = self.words(size)
            z, u = signals(jammer, jammer.playing, size, k), drawn[:, :k]
            loss = (u - self.codec.decode(heard + z, law)).square()
            plain = self._plain(u, drawn[:, k:] + z)
            excess.append((loss - plain).double().mean(1))
        beyond = torch.cat(excess)
        payoff = float(beyond.mean()) + float(self.linear(torch.tensor(self.stakes.jam_power)))
        return payoff, QUANTILE * float(beyond.std()) / math.sqrt(count)

    def linear(self, power: Tensor) -> Tensor:
        """What a jammer's sample of so much power does to the linear codec."""
        line = self.stakes.line
        return (1 - line) ** 2 + line**2 * (self.stakes.noise_power + power)
