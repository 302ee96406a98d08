"""What a codec of bits is trained for: a gradient through the word, the noise it meets, and its information."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor, nn

from channels import BSC, Channel
from channels.binary import flipped
from jscc_sim.bits.levels import adversarial_levels
from jscc_sim.codecs import BinaryCodec
from jscc_sim.gradients import (
    Loss,
    check_enumerable,
    draw,
    drawn_straight_through,
    exact,
    score_function,
    straight_through,
    vimco,
)
from jscc_sim.spelling import known

Estimator = Callable[[Tensor, Loss], Tensor]
# Each with as many samples as it needs.
GRADIENTS: dict[str, Callable[[int], Estimator]] = {
    "exact": lambda samples: exact,
    "drawn-straight-through": lambda samples: partial(drawn_straight_through, samples=samples),
    "score-function": lambda samples: partial(score_function, samples=samples),
    "straight-through": lambda samples: partial(straight_through, samples=samples),
    "vimco": lambda samples: partial(vimco, samples=samples),
}
# Gradients that pass through the channel as it is, which is told nothing of probabilities.
THROUGH = ("drawn-straight-through", "straight-through")
# Those that compare samples with each other.
LEAVING_ONE_OUT = ("score-function", "vimco")
NOISES = ("channel", "adversarial")
# Of a batch of words; more do not fit into memory.
MOST_SAMPLES = 1000


@dataclass(frozen=True)
class Objective:
    """A ``gradient`` by so many ``samples`` of a word, under the ``channel``'s noise or ``adversarial`` levels of it.

    The ``exact`` one takes no samples: it is the mean over all words that can be sent, each with noise of its own, or
    over a BSC, which makes words of words, over all that can be received.
    ``infomax`` weighs the information ``I(X; Y)``, in nats, against the error.
    """

    gradient: str = "straight-through"
    samples: int = 1
    noise: str = "channel"
    infomax: float = 0.0

    def __post_init__(self) -> None:
        known("gradient", self.gradient, GRADIENTS)
        known("noise", self.noise, NOISES)
        least = 2 if self.gradient in LEAVING_ONE_OUT else 1
        if not (isinstance(self.samples, int) and least <= self.samples <= MOST_SAMPLES):
            wanted = f"{least} to {MOST_SAMPLES} for {self.gradient}"
            raise ValueError(f"samples must be a whole number, {wanted}, got {self.samples}")
        if not (isinstance(self.infomax, int | float) and 0 <= self.infomax < math.inf):
            raise ValueError(f"infomax must be a finite number, 0 or more, got {self.infomax}")

    def check(self, channel: Channel, n: int) -> None:
        """ValueError unless its noise can be that of the channel, and its gradient that of words of n symbols."""
        if self.noise == "adversarial" and not isinstance(channel, BSC):
            raise ValueError(
                f"adversarial noise chooses the crossover probabilities of a plain BSC, but {type(channel).__name__} "
                "is none: use channel bsc, or another objective"
            )
        if self.gradient == "exact":
            check_enumerable(n)

    def loss(self, codec: BinaryCodec, u: Tensor, probability: Tensor, channel: Channel) -> Tensor:
        """The loss of each image ``u (batch, k)``, with the gradients that lower its mean; information aside.

        ``probability (batch, n)`` is that of symbols −1. Errors are the codec's loss summed over pixels: for grey ones
        the squared error, which is the negative log-likelihood of variance ½ but for a constant, else nats. By VIMCO
        the value is ``−log mean exp(−error)`` over the samples, else the mean error.

        Adversarial levels are those of the word that meets them, where a gradient passes through; where received
        symbols are drawn, they are, as in the paper, those of one word drawn for all samples. ValueError for a channel
        that `check` refuses.
        """
        self.check(channel, codec.n)

        def error(y: Tensor) -> Tensor:
            return codec.k * codec.loss(u, y, channel.nominal).float()

        def harm(y: Tensor) -> Tensor:
            with _evaluating(codec.decoder):  # lest what an adversary asks moves running statistics
                return error(y)

        estimate = GRADIENTS[self.gradient](self.samples)
        if self.gradient in THROUGH and self.noise == "adversarial" and isinstance(channel, BSC):
            flip = channel.flip

            def struck(x: Tensor) -> Tensor:
                levels = _levels(x.detach(), harm, flip)
                return error(flipped(x, draw(levels, 1)[0], levels))

            return estimate(probability, struck)
        if self.gradient in THROUGH or not isinstance(channel, BSC):
            armed = channel.against(harm)
            return estimate(probability, lambda x: error(armed(x)))
        level: Tensor | float = channel.flip
        if self.noise == "adversarial":
            level = _levels(draw(probability, 1)[0], harm, channel.flip)
        return estimate(probability - 2 * probability * level + level, error)


def _levels(x: Tensor, harm: Loss, flip: float) -> Tensor:
    """Adversarial crossover probabilities for words ``x (..., n)``."""
    with torch.enable_grad():
        y = x.clone().requires_grad_()
        (slopes,) = torch.autograd.grad(harm(y).sum(), y)
    return adversarial_levels(x, slopes, flip)


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    """A module in evaluation for a while."""
    before = module.training
    module.eval()
    try:
        yield
    finally:
        module.train(before)


NECST = Objective("vimco", 5)
OBJECTIVES = {
    "necst": NECST,
    "abf": replace(NECST, noise="adversarial"),
    "infomax": replace(NECST, infomax=0.01),
    "iabf": replace(NECST, noise="adversarial", infomax=0.01),
    "straight-through": Objective(),
}
# What did best on validation images of MNIST, 100 bits over a BSC: part paper of benchmarks/bench_bits.py.
BEST = "straight-through"
