"""The jammer as a regulariser: latents that jam a codec best are Gaussian."""

from typing import Literal, Self, cast

import torch
from torch import Tensor, nn

from channels import GaussianPolicy, Jammer
from channels.power import checked_power
from jscc_sim.codecs import Codec, ModuleCodec
from jscc_sim.codecs.neural import LineAndNet
from jscc_sim.regularisers.base import Regulariser, check_sizes
from jscc_sim.regularisers.diagnosis import Finding, Gaps, Gradients, diagnose
from jscc_sim.regularisers.dual_ascent import DualAscent
from jscc_sim.regularisers.latent_power import LatentPower
from jscc_sim.regularisers.learner import CHASING, Learner
from jscc_sim.regularisers.processes import average
from jscc_sim.theory.saddle import scalar_payoff

# The default's signal power over the jammer's, at which shape is visible, and its noise power over the jammer's.
SIGNAL, NOISE = 0.25, 0.02


class JammingRegulariser(Regulariser):
    """``weight · (V* − MSE)/P``: how far the latents, as a jammer's signal, stay below the saddle value.

    The latents jam a JSCC codec that sends ``N(0, I)`` of its own; the codec learns inside, ``updates`` steps of Adam
    per call in training. At best the latents reach the saddle value ``V* = W/(1 + W)`` per symbol, with ``W`` the sum
    of jam and noise power, and then they are Gaussian (El-Geresy and Gündüz, arXiv 2512.02740). Divided by ``P``, the
    signal-to-jammer ratio, the penalty does not depend on the unit of power. Against the best codec it is 0 or more;
    one that is still learning errs more, and the penalty of Gaussian latents is then a little below 0.

    The jammer lends its powers; its policy is replaced by the encoder. A codec of ``k = d`` sees the latents' joint
    law, one of ``k = 1`` is shared by the coordinates and sees each alone. The codec belongs to the regulariser from
    now on. ``weight="auto"`` finds the least weight at which the codec, before it learns from a batch, errs no less
    under its latents than under Gaussian ones, but for noise. ``antithetic`` sends each word and its negative under the
    same latent, which takes most of the noise from the gradient.
    """

    def __init__(
        self,
        jammer: Jammer,
        codec: Codec,
        *,
        weight: float | Literal["auto"] = 0.02,
        warmup: int = 500,
        updates: int = 1,
        lr: float = 5e-3,
        antithetic: bool = True,
    ) -> None:
        if isinstance(weight, str) and weight != "auto":
            raise ValueError(f"weight must be a number or 'auto', got {weight!r}")
        dim = codec.k if codec.k > 1 else None  # a scalar codec is shared by any number of latents
        super().__init__(weight=1.0 if weight == "auto" else float(weight), warmup=warmup, dim=dim)
        if codec.k != codec.n:
            raise ValueError(f"the saddle value is known for k = n only, got a codec of k={codec.k}, n={codec.n}")
        self.jammer = Jammer(GaussianPolicy(), jammer.noise_power, jammer.jam_power)  # the encoder is its policy now
        self.jammer.unit = LatentPower()  # the latents' power, not the policy's, and not known yet
        self.learner = Learner(codec, updates=updates, lr=lr, betas=CHASING)
        self.antithetic = antithetic
        self.value = float(scalar_payoff(1.0, 1.0, jammer.jam_power, jammer.noise_power))
        self.ascent = DualAscent() if weight == "auto" else None
        self.gaps, self.gradients = Gaps(), Gradients()

    @classmethod
    def default(
        cls,
        dim: int,
        *,
        hidden: int = 64,
        signal: float = SIGNAL,
        noise: float = NOISE,
        weight: float | Literal["auto"] = 0.02,
        warmup: int = 1000,
        updates: int = 2,
    ) -> Self:
        """For latents of ``dim`` dimensions: a weak signal, sent uncoded, received by a net of ``hidden`` units.

        ``signal`` and ``noise`` are powers over that of the latents; the signal has its power over each batch. The
        receiver starts as the best linear one, which
        no latents of unit power can hurt. A small one that learns twice a step follows the encoder better than a large
        one that learns once, at the same cost.
        """
        for name, power in (("signal", signal), ("noise", noise)):
            checked_power(name, power)
        check_sizes(dim=dim, hidden=hidden)
        receiver = LineAndNet(dim, dim, hidden)
        with torch.no_grad():
            receiver.line.weight.copy_(torch.eye(dim) / (1 + (1 + noise) / signal))
            for last in receiver.net[-1].parameters():
                last.zero_()
        jammer = Jammer(GaussianPolicy(), noise / signal, 1 / signal)
        codec = ModuleCodec(nn.Identity(), receiver, dim, dim)
        found = cls(jammer, codec, weight=weight, warmup=warmup, updates=updates)
        found.dim = dim
        return found

    @classmethod
    def paper(cls, dim: int, *, hidden: int = 128, weight: float = 0.1) -> Self:
        """As in the paper: all powers one, a transmitter that learns too, one word under each latent."""
        check_sizes(dim=dim, hidden=hidden)
        codec = ModuleCodec(LineAndNet(dim, dim, hidden), LineAndNet(dim, dim, hidden), dim, dim)
        return cls(Jammer(GaussianPolicy(), 1.0, 1.0), codec, weight=weight, warmup=0, lr=1e-3, antithetic=False)

    @property
    def found_weight(self) -> float:
        """The weight in use: with ``"auto"``, where dual ascent has got to."""
        return self.weight if self.ascent is None else float(self.ascent.weight)

    @property
    def codec(self) -> Codec:
        """The codec under attack."""
        return cast("Codec", self.learner.player)

    def norm(self, z: Tensor) -> Tensor:
        """The latents held to the jammer's budget: unit power over the batch in training, frozen in evaluation."""
        return self.jammer.limit(z)

    def forward(self, z: Tensor) -> Tensor:
        """The weighted penalty, a scalar, of normalised latents ``z (batch, d)``."""
        if self.training:
            self.gradients.watch(z)
        return super().forward(z)

    def penalty(self, z: Tensor) -> Tensor:
        """Update the codec (in training), then return the penalty."""
        words = z.reshape(-1, self.codec.k)
        jam, learns = words.detach(), self.training and torch.is_grad_enabled()
        if learns and self.ascent is not None:
            excess = self._excess(jam)
            average([excess])
            self.ascent.step(excess, warm=int(self.calls) >= self.warmup)
        self.learner.update(lambda: self._errors(jam).mean())
        seen = self.gradients.watched(words) if self.training else words
        gap = self.jammer.jam_power * (self.value - self._errors(seen).mean())
        if learns:
            told = gap.detach().clone()
            average([told])
            self.gaps.take(told)
        return gap if self.ascent is None else self.ascent.weight * gap

    @torch.no_grad()
    def _excess(self, jam: Tensor) -> Tensor:
        """By how much less than under Gaussian latents the codec errs, in units of the penalty.

        Zero in the mean for Gaussian ones, however well the codec has learned, as it has not seen either.
        """
        gaussian = torch.randn_like(jam)
        gaussian /= gaussian.square().mean().sqrt()  # at unit power over the batch, like the latents
        return self.jammer.jam_power * (self._errors(gaussian).mean() - self._errors(jam).mean())

    def diagnose(self, z: Tensor) -> list[Finding]:
        """What shows signs of going wrong in training, for normalised latents ``z (count, d)``.

        Nothing, if it is empty, which does not mean that they are Gaussian: `metrics` says that.
        """
        found = diagnose(z.detach(), self.gaps, self.gradients)
        if (calls := int(self.calls)) >= self.warmup:
            return found
        told = f"{calls} of {self.warmup} calls of the warm-up are done: what else is found may pass"
        return [Finding("warming up", told), *found]

    def _errors(self, jam: Tensor) -> Tensor:
        """The codec's squared errors per symbol ``(words,)`` when ``jam (words, k)`` is added to what it sends."""
        u = torch.randn_like(jam)
        if self.antithetic:
            u, jam = torch.cat((u, -u)), jam.repeat(2, 1)
        y = self.jammer.add(self.codec.encode(u), jam)
        errors = self.codec.loss(u, y, self.jammer.nominal)
        return errors.view(2, -1).mean(0) if self.antithetic else errors
