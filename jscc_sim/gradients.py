"""Gradients through binary words: of the mean of a loss over words that are drawn symbol by symbol.

A word ``y (..., n)`` is antipodal; its symbols are drawn independently, symbol i being −1, that is bit 1, with
``probability (..., n)``. These may be an encoder's own, or, where its word passes a binary channel, those of what is
received. Each estimator takes them and a ``loss`` from words ``(samples, ..., n)`` to ``(samples, ...)``, and gives a
surrogate ``(...)``: its value estimates the mean loss, and its gradient that of the mean loss, in the probabilities and
in what the loss itself learns.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

Loss = Callable[[Tensor], Tensor]
# Words are enumerated up to this length.
MOST_SYMBOLS = 16


def check_enumerable(n: int) -> None:
    """ValueError if words of n symbols are too many to enumerate."""
    if n > MOST_SYMBOLS:
        raise ValueError(
            f"2^{n} words are too many to enumerate: take words of {MOST_SYMBOLS} symbols at most, or sample"
        )


def draw(probability: Tensor, samples: int) -> Tensor:
    """Antipodal words ``(samples, ..., n)``, without a gradient."""
    wanted = probability.detach().expand(samples, *probability.shape)
    return 1 - 2 * torch.bernoulli(wanted)


def draw_through(probability: Tensor, samples: int) -> Tensor:
    """The same words, whose gradient passes to the probabilities as if they were the words' means ``1 − 2p``."""
    mean = 1 - 2 * probability
    return draw(probability, samples) + (mean - mean.detach())


def decide_through(probability: Tensor) -> Tensor:
    """The likeliest word ``(..., n)``, with the same gradient."""
    mean = 1 - 2 * probability
    return torch.where(probability > 0.5, -1.0, 1.0).to(mean) + (mean - mean.detach())


def log_chance(y: Tensor, probability: Tensor) -> Tensor:
    """The log-probability of words ``y (..., n)``, summed over their symbols, in nats."""
    return torch.where(y < 0, probability, 1 - probability).log().sum(-1)


def exact(probability: Tensor, loss: Loss) -> Tensor:
    """The mean loss itself, over all 2ⁿ words; ValueError beyond 16 symbols."""
    n = probability.shape[-1]
    check_enumerable(n)
    bits = (torch.arange(2**n, device=probability.device)[:, None] >> torch.arange(n, device=probability.device)) & 1
    words = (1 - 2 * bits).to(probability).view(2**n, *[1] * (probability.ndim - 1), n)
    words = words.expand(2**n, *probability.shape)
    chance = torch.where(words < 0, probability, 1 - probability).prod(-1)  # whose gradient is finite at 0 and 1
    return (chance * loss(words)).sum(0)


def drawn_straight_through(probability: Tensor, loss: Loss, samples: int = 1) -> Tensor:
    """The loss of words whose gradient passes straight through their drawing.

    Biased unless the loss is linear in each symbol given the rest; of low variance (Bengio, Léonard and Courville 2013,
    arXiv 1308.3432).
    """
    return loss(draw_through(probability, samples)).mean(0)


def straight_through(probability: Tensor, loss: Loss, samples: int = 1) -> Tensor:
    """The loss of the likeliest word, whose gradient passes straight through the decision.

    No gradient of the mean loss over drawn words, but for encoders that decide; ``samples`` are of what the loss draws.
    """
    word = decide_through(probability)
    return loss(word.expand(samples, *word.shape)).mean(0)


def score_function(probability: Tensor, loss: Loss, samples: int = 2) -> Tensor:
    """Losses times the words' scores, each sample's less the mean loss of the others: unbiased.

    Williams 1992 with the leave-one-out baseline of Kool, van Hoof and Welling 2019.
    """
    words = _draw_several(probability, samples)
    losses = loss(words)
    told = losses.detach()
    advantage = (told - told.mean(0)) * samples / (samples - 1)
    return _surrogate(losses.mean(0), (advantage * log_chance(words, probability)).mean(0))


def vimco(probability: Tensor, loss: Loss, samples: int = 5) -> Tensor:
    """``−log mean exp(−loss)`` over the samples, which is what it estimates the gradient of: unbiased for that.

    Where the loss is a negative log-likelihood this is the multi-sample bound of NECST (Choi et al. 2019), above it by
    Jensen's inequality. Each sample's score is weighted by what the bound gains over the bound with that sample's
    likelihood replaced by the geometric mean of the others' (Mnih and Rezende 2016, arXiv 1602.06725).
    """
    words = _draw_several(probability, samples)
    likelihood = -loss(words)  # in nats
    bound = likelihood.logsumexp(0) - math.log(samples)
    told = likelihood.detach()
    others = (told.sum(0) - told) / (samples - 1)
    replaced = told.expand(samples, *told.shape).clone()
    replaced.diagonal().copy_(others.movedim(0, -1))
    without = replaced.logsumexp(1) - math.log(samples)
    gain = bound.detach() - without
    return _surrogate(-bound, -(gain * log_chance(words, probability)).sum(0))


def _draw_several(probability: Tensor, samples: int) -> Tensor:
    if samples < 2:
        raise ValueError(f"leaving one out takes at least 2 samples, got {samples}")
    return draw(probability, samples)


def _surrogate(value: Tensor, score: Tensor) -> Tensor:
    """The value, with the gradients of both."""
    return value + score - score.detach()
