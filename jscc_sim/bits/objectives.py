"""What a codec of bits is trained for: a gradient through the word, the noise it meets, and its information."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from channels import BSC, Channel
from jscc_sim.bits.levels import adversarial_levels
from jscc_sim.codecs import BinaryCodec
from jscc_sim.gradients import Loss, draw, exact, hard_straight_through, score_function, straight_through, vimco
from jscc_sim.spelling import known

Estimator = Callable[[Tensor, Loss], Tensor]
# Each with as many samples as it needs.
GRADIENTS: dict[str, Callable[[int], Estimator]] = {
    "exact": lambda samples: exact,
    "hard-straight-through": lambda samples: partial(hard_straight_through, samples=samples),
    "score-function": lambda samples: partial(score_function, samples=samples),
    "straight-through": lambda samples: partial(straight_through, samples=samples),
    "vimco": lambda samples: partial(vimco, samples=samples),
}
# Gradients that pass through the channel as it is, which is told nothing of probabilities.
THROUGH = ("hard-straight-through", "straight-through")
NOISES = ("channel", "adversarial")


@dataclass(frozen=True)
class Objective:
    """A ``gradient`` by so many ``samples`` of a word, under the ``channel``'s noise or ``adversarial`` levels of it.

    ``infomax`` weighs the information ``I(X; Y)``, in nats, against the error.
    """

    gradient: str = "hard-straight-through"
    samples: int = 1
    noise: str = "channel"
    infomax: float = 0.0

    def __post_init__(self) -> None:
        known("gradient", self.gradient, GRADIENTS)
        known("noise", self.noise, NOISES)
        if not (self.samples >= 1 and self.infomax >= 0):
            raise ValueError(
                f"samples must be at least 1 and infomax not negative, got {self.samples} and {self.infomax}"
            )

    def check(self, channel: Channel) -> None:
        """ValueError unless its noise can be that of the channel."""
        if self.noise == "adversarial" and not isinstance(channel, BSC):
            raise ValueError(
                f"adversarial noise chooses crossover probabilities, which {type(channel).__name__} has not: use bsc"
            )

    def stake(self, codec: BinaryCodec, u: Tensor, probability: Tensor, channel: Channel) -> Tensor:
        """The error of each image ``u (batch, k)``, with the gradients that lower its mean; information aside.

        ``probability (batch, n)`` is that of symbols −1. Errors are the codec's loss summed over pixels: for grey ones
        the squared error, which is the negative log-likelihood of variance ½ but for a constant, else nats.
        """

        def loss(y: Tensor) -> Tensor:
            return codec.k * codec.loss(u, y, channel.nominal).float()

        estimate = GRADIENTS[self.gradient](self.samples)
        if not isinstance(channel, BSC) or (self.gradient in THROUGH and self.noise == "channel"):
            armed = channel.against(loss)
            return estimate(probability, lambda x: loss(armed(x)))
        level = self._levels(probability, loss, channel.flip)
        if self.gradient in THROUGH:
            return estimate(probability, lambda x: loss(x * draw(level, len(x))))
        return estimate(probability - 2 * probability * level + level, loss)

    def _levels(self, probability: Tensor, loss: Loss, flip: float) -> Tensor:
        """Of crossover, ``(batch, n)``."""
        if self.noise == "channel":
            return torch.full_like(probability, flip)
        y = draw(probability, 1)[0].requires_grad_()
        (slopes,) = torch.autograd.grad(loss(y).sum(), y)
        return adversarial_levels(y.detach(), slopes, flip)


NECST = Objective("vimco", 5)
OBJECTIVES = {
    "necst": NECST,
    "abf": replace(NECST, noise="adversarial"),
    "infomax": replace(NECST, infomax=0.01),
    "iabf": replace(NECST, noise="adversarial", infomax=0.01),
    "straight-through": Objective(),
}
# What did best on validation images.
BEST = "straight-through"
