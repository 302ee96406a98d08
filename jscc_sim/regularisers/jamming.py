"""The jammer as a regulariser: latents that jam a codec best are Gaussian."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from channels import Jammer, UnitPower
from jscc_sim.codecs import Codec
from jscc_sim.regularisers.base import Regulariser
from jscc_sim.theory.saddle import scalar_payoff


class JammingRegulariser(Regulariser):
    """``weight · (V* − MSE)/P``: how far the latents, as a jammer's signal, stay below the saddle value.

    The latents jam a JSCC codec that sends ``N(0, I)`` of its own; the codec learns inside, ``updates`` steps of Adam
    per call in training. At best the latents reach the saddle value ``V* = W/(1 + W)`` per symbol, with ``W`` the sum
    of jam and noise power, and then they are Gaussian (El-Geresy and Gündüz, arXiv 2512.02740). Divided by ``P``, the
    signal-to-jammer ratio, the penalty does not depend on the unit of power.

    The jammer lends its powers; its policy is replaced by the encoder. The codec's words divide the latent: one of
    ``k = d`` sees the joint law, one of ``k = 1`` is shared by the coordinates and sees each alone. Shape beyond second
    moments is visible where the signal is weak (``P`` about 0.25).
    """

    def __init__(
        self, jammer: Jammer, codec: Codec, *, weight: float = 1.0, updates: int = 1, lr: float = 1e-3
    ) -> None:
        super().__init__()
        if not (weight >= 0 and updates >= 1 and lr > 0):
            raise ValueError(
                f"weight must be 0 or more, updates at least 1 and lr positive, got {weight}, {updates}, {lr}"
            )
        if codec.k != codec.n:
            raise ValueError(f"the saddle value is known for k = n only, got a codec of k={codec.k}, n={codec.n}")
        self.jammer = Jammer(jammer.policy, jammer.noise_power, jammer.jam_power)
        self.jammer.unit = UnitPower()  # the latents' power, not the policy's, and not known yet
        self.codec, self.weight, self.updates = codec, weight, updates
        self.value = float(scalar_payoff(1.0, 1.0, jammer.jam_power, jammer.noise_power))
        learned = list(codec.parameters())
        self.optimiser = torch.optim.Adam(learned, lr) if learned else None

    def norm(self, z: Tensor) -> Tensor:
        """The latents held to the jammer's budget: unit power over the batch in training, frozen in evaluation."""
        return self.jammer.limit(z)

    def forward(self, z: Tensor) -> Tensor:
        """Teach the codec (in training), then return the penalty, whose gradient reaches ``z`` alone."""
        if z.shape[-1] % self.codec.k:
            raise ValueError(f"latents of {z.shape[-1]} dimensions are not made of words of k={self.codec.k}")
        words = z.reshape(-1, self.codec.k)
        self.codec.train(self.training)  # a codec that learns while its power is frozen would outgrow it
        if self.optimiser and self.training and torch.is_grad_enabled():
            for _ in range(self.updates):
                self.optimiser.zero_grad()
                self._payoff(words.detach()).backward()
                self.optimiser.step()
        with _frozen(self.codec):
            return self.weight * self.jammer.jam_power * (self.value - self._payoff(words))

    def _payoff(self, jam: Tensor) -> Tensor:
        """The codec's mean-square error per symbol when ``jam (words, k)`` is added to what it sends."""
        u = torch.randn_like(jam)
        y = self.jammer.add(self.codec.encode(u), jam)
        return self.codec.loss(u, y, self.jammer.nominal).mean()


@contextmanager
def _frozen(module: nn.Module) -> Iterator[None]:
    """Parameters of ``module`` take no gradient, so that an outer optimiser that holds them leaves them alone."""
    learned = [parameter for parameter in module.parameters() if parameter.requires_grad]
    for parameter in learned:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in learned:
            parameter.requires_grad_(True)
