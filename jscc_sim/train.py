"""Training: a codec against nature, or codec and jammer against each other."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

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
    """Train the codec, and the channel too if it has parameters, and yield the payoff at each step.

    The codec lowers `Codec.loss`; before each of its steps a learned adversary takes ``attacks`` steps that raise it,
    at a quarter of the rate ``lr``. Alternating Adam with a cosine schedule. After the last step the powers are frozen
    and the players in evaluation; who stops earlier calls `freeze`. FloatingPointError if the payoff is not finite.
    """
    link.codec.train()
    link.channel.train()
    players = [player for player in ([*link.codec.parameters()], [*link.channel.parameters()]) if player]
    rates = (lr, lr * ADVERSARY_PACE)
    optimisers = [
        torch.optim.Adam(player, rate, betas=BETAS, fused=True) for player, rate in zip(players, rates, strict=False)
    ]
    turns = [1] * attacks * (len(players) - 1) + [0]
    schedules = [torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps) for optimiser in optimisers]
    for step in range(steps):
        for turn in turns:
            payoff = _payoff(link, batch)
            optimisers[turn].zero_grad()
            (-payoff if turn else payoff).backward(inputs=players[turn])
            optimisers[turn].step()
        for schedule in schedules:
            schedule.step()
        value = float(payoff.detach())
        if not math.isfinite(value):
            raise FloatingPointError(f"the payoff became {value} at step {step}: lower lr, now {lr}")
        yield value
    freeze(link)


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
        codec.calibrate(words.to(next(codec.parameters())))
    if isinstance(link.channel, Jammer):
        link.channel.calibrate()
    link.eval()
