"""Training: a codec against nature, or codec and jammer against each other."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from channels import Jammer
from channels.power import normal_points
from jscc_sim.codecs import NeuralCodec
from jscc_sim.link import Link
from jscc_sim.sources import Gaussian

# No momentum, as usual for games: an average over past gradients chases where the opponent was.
BETAS = (0.0, 0.99)
# An adversary slower than the codec meets a codec that has answered it; at equal pace its law ends less Gaussian.
ADVERSARY_PACE = 0.25
SAMPLES = 2**18


def fit(link: Link, steps: int, *, batch: int = 1024, lr: float = 4e-3, attacks: int = 1) -> Iterator[float]:
    """Train what has parameters to train, codec, channel or both, and yield the payoff at each step.

    The codec lowers `Codec.loss`; before each of its steps a learned adversary takes ``attacks`` steps that raise it,
    at a quarter of the rate ``lr``. Alternating Adam with a cosine schedule. After the last step the powers are frozen
    and the players in evaluation; who stops earlier calls `freeze`. FloatingPointError if the payoff is not finite.
    """
    link.codec.train()
    link.channel.train()
    adversary, learner = _Player(link.channel, lr * ADVERSARY_PACE, steps), _Player(link.codec, lr, steps)
    turns = [(adversary, -1.0)] * (attacks if adversary.learns else 0) + [(learner, 1.0)] * learner.learns
    if not turns:
        raise ValueError("there is nothing to train: neither codec nor channel has parameters that take gradients")
    for step in range(steps):
        for player, sign in turns:
            payoff = _payoff(link, batch)
            player.lower(sign * payoff)
        adversary.slow_down()
        learner.slow_down()
        value = float(payoff.detach())
        if not math.isfinite(value):
            raise FloatingPointError(f"the payoff became {value} at step {step}: lower lr, now {lr}")
        yield value
    freeze(link)


class _Player:
    """One side's parameters with their optimiser; a side without any rests."""

    def __init__(self, module: nn.Module, rate: float, steps: int) -> None:
        self.weights = [weight for weight in module.parameters() if weight.requires_grad]
        if self.learns:
            self.optimiser = torch.optim.Adam(self.weights, rate, betas=BETAS, fused=True)
            self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimiser, steps)

    @property
    def learns(self) -> bool:
        return bool(self.weights)

    def lower(self, stake: Tensor) -> None:
        """One step down the stake."""
        self.optimiser.zero_grad()
        stake.backward(inputs=self.weights)
        self.optimiser.step()

    def slow_down(self) -> None:
        """The next point of the schedule."""
        if self.learns:
            self.schedule.step()


def _payoff(link: Link, batch: int) -> Tensor:
    u = link.source.draw(batch)
    y, law = link.channel.transmit(link.codec.encode(u), u)
    return link.codec.loss(u, y, law).mean()


def freeze(link: Link) -> None:
    """Measure the powers of learned players precisely, freeze them, and put codec and channel into evaluation.

    A Gaussian source is integrated by quadrature, any other is sampled.
    """
    source, codec = link.source, link.codec
    if isinstance(codec, NeuralCodec):
        words = normal_points(SAMPLES, source.k) if isinstance(source, Gaussian) else source.draw(SAMPLES)
        codec.calibrate(words)
    if isinstance(link.channel, Jammer):
        link.channel.calibrate()
    link.eval()
